import { expect, it } from "vitest";
import { parseH2load } from "./h2load.ts";

const PRINTED = `starting benchmark...
spawning thread #0: 8 total client(s). Timing-based test with 0s of warm-up time and 2s of main duration for measurements.
Application protocol: h2c

finished in 2.01s, 11204.50 req/s, 1.05MB/s
requests: 22409 total, 22473 started, 22409 done, 22400 succeeded, 3 failed, 4 errored, 2 timeout
status codes: 22409 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 2.10MB (2199999) total, 199.99KB (204792) headers (space savings 88.10%), 153.19KB (156863) data
                     min         max         mean         sd        +/- sd
time for request:      870us     41.35ms      5.69ms      2.12ms    91.50%
time for connect:      211us       702us       488us       171us    62.50%
req/s           :    1399.12     1401.99     1400.56        1.02    62.50%
`;

it("reads calls, rate, mean and failures", () => {
  expect(parseH2load(PRINTED)).toEqual({
    requests: 22400,
    requestsPerSecond: 11204.5,
    mean: 5.69,
    failures: 9,
  });
});

it("refuses text that is not h2load's", () => {
  expect(() => parseH2load("could not resolve")).toThrow(/h2load printed something else/);
});
