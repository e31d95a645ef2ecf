import { expect, it } from "vitest";
import { parseWrk } from "./wrk.ts";

const PRINTED = `Running 3s test @ http://127.0.0.1:41001/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.31ms  401.12us   9.88ms   93.10%
    Req/Sec    27.80k     1.05k   29.02k    90.00%
  Latency Distribution
     50%    2.24ms
     75%    2.37ms
     90%    2.53ms
     99%  841.00us
  83023 requests in 3.00s, 18.29MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 5
Requests/sec:  27660.50
Transfer/sec:      6.09MB
`;

it("reads requests, rate, p99 and failures", () => {
  expect(parseWrk(PRINTED)).toEqual({ requests: 83023, requestsPerSecond: 27660.5, p99: 0.841, failures: 8 });
});

it("refuses text that is not wrk's", () => {
  expect(() => parseWrk("unable to connect")).toThrow(/wrk printed something else/);
});
