import { describe, expect, test } from "vitest";
import { COLORS, load, problems } from "../../test/support/config-file.ts";

describe("sections", () => {
  test.each([
    ["{ cookie: sid }", { kind: "cookie", name: "sid" }],
    ["{ header: X-User }", { kind: "header", name: "x-user" }],
    ["{ query: user id }", { kind: "query", name: "user id" }],
  ])("affinity may be %s", (yaml, expected) => {
    expect(load(`${COLORS}affinity: ${yaml}`).affinity).toEqual(expected);
  });

  test("override by a header is the default, believed from ranges that are normalised", () => {
    expect(load(`${COLORS}override: { from: [10.1.2.3/8, 192.0.2.7, "2001:db8::1"] }`).override).toEqual({
      header: "x-sluice-color",
      cookie: undefined,
      from: ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::1/128"],
      secret: undefined,
    });
    expect(load(`${COLORS}override: { cookie: c, secret: abc }`).override).toEqual({
      header: undefined,
      cookie: "c",
      from: [],
      secret: "abc",
    });
  });

  test.each([
    ["204", [[204, 204]]],
    [
      "200-299,304",
      [
        [200, 299],
        [304, 304],
      ],
    ],
    [
      "[200, 300-399]",
      [
        [200, 200],
        [300, 399],
      ],
    ],
  ])("health.status may be %s", (yaml, expected) => {
    expect(
      load(`${COLORS}health: { status: ${yaml.startsWith("[") ? yaml : `"${yaml}"`} }`).health.status,
    ).toEqual(expected);
  });

  test("retry.on takes status codes as numbers, and paths with a whole-segment *", () => {
    const { retry } = load(
      `${COLORS}retry: { on: [timeout, 502], idempotent_paths: [/api/predict/, /v2/models/*/infer] }`,
    );
    expect(retry.on).toEqual(["timeout", "502"]);
    expect(retry.idempotent_paths).toEqual(["/api/predict/", "/v2/models/*/infer"]);
  });

  test("hedge, metrics on its own address and the log are read", () => {
    const config = load(
      `${COLORS}hedge: { max: 0.1 }\nmetrics: { listen: ":0" }\nlog: { level: debug, access: off }`,
    );
    expect(config.hedge).toEqual({ after: "p95", max: 0.1 });
    expect(config.metrics.listen).toEqual({ host: "0.0.0.0", port: 0 });
    expect(config.log).toEqual({ level: "debug", access: "off" });
  });
});

describe("what is refused, in one message", () => {
  test.each([
    [
      "health: { interval: 2 }",
      /^health\.interval is 2; expected a duration with its unit, such as 500ms, 2s/,
    ],
    ["health: { interval: 0s }", /of at least 1ms/],
    ["health: { interval: 30d }", /^health.interval is "30d"; expected a duration/],
    ["timeouts: { drain: 900h }", /at most 24 days/],
    ["health: { jitter: 1.5 }", /^health\.jitter is 1\.5; expected a share between 0 and 1\.$/],
    ["health: { rise: 0 }", /^health\.rise is 0; expected a whole number from 1 to 1000\.$/],
    ["health: { path: ready }", /^health\.path is "ready"; expected a path that begins with \//],
    ["health: { status: 299-200 }", /^health\.status is "299-200"; expected status codes/],
    ["health: yes", /^health is "yes"; expected a section of options\.$/],
    ["limits: { body: 1000 }", /^limits\.body is 1000; expected a size with its unit/],
    ["limits: { body: 10Mb }", /^limits\.body is "10Mb"; expected a size/],
    ["limits: { body: 0 }", /of at least 1B/],
    ["listen: 8080", /^listen is 8080; expected an address such as/],
    ["listen: 300.1.1.1:80", /^listen is "300\.1\.1\.1:80"; expected/],
    ["listen: ::1:80", /^listen is "::1:80"; expected/],
    ["listen: a:99999", /a port of at most 65535/],
    ["listen:", /^listen is empty; expected/],
    ["engine: nginx", /^engine is "nginx"; expected wire or http-proxy\.$/],
    ["workers: many", /^workers is "many"; expected auto, or a whole number from 1 to 256\.$/],
    ["workers: 0", /^workers is 0; expected auto, or a whole number from 1 to 256\.$/],
    ["workers: 1.5", /^workers is 1\.5; expected auto/],
    ["split: exakt", /^split is "exakt"; expected random or exact\.$/],
    ["failover: yes", /^failover is "yes"; expected true or false\.$/],
    ["affinity: cookie", /^affinity is "cookie"; expected none, \{ cookie: NAME \}/],
    ["affinity: { cookie: a, header: b }", /^affinity is a mapping; expected none/],
    ["affinity: { cookie: 'a b' }", /valid name of a cookie/],
    ["override: { header: X-A }", /^override has neither from nor secret, so anyone could choose/],
    ["override: yes", /^override is "yes"; expected none or \{ header/],
    ["override: { form: [] }", /^override\.form is not an option; did you mean override\.from\?$/],
    ["trusted_proxies: [10.0.0.0/33]", /^trusted_proxies\[0\] is "10\.0\.0\.0\/33"; expected a range/],
    ["trusted_proxies: [10.1/8]", /^trusted_proxies\[0\] is "10\.1\/8"; expected a range/],
    ["trusted_proxies: 10.0.0.0/8", /expected a list of ranges of addresses, in brackets\.$/],
    ["retry: { on: [502, 500] }", /^retry\.on\[1\] is 500; expected connect, reset/],
    ["retry: { idempotent_paths: [/a*] }", /\* stands for one whole segment/],
    ["retry: { attempts: 1.5 }", /^retry\.attempts is 1\.5; expected a whole number from 0 to 10\.$/],
    ["feedback: { max: 7 }", /^feedback\.max is 7; expected a whole number from 8 to 10000000\.$/],
    ["feedback: { remember: 24 }", /^feedback\.remember is 24; expected a duration with its unit/],
    ["feedback: { sample: 0 }", /^feedback\.sample is 0; expected a share above 0 and up to 1\.$/],
    ["feedback: all", /^feedback is "all"; expected none or \{ remember: 24h/],
    ["predictions: fare_amount", /^predictions is "fare_amount"; expected none, a JSON Pointer such as/],
    ["predictions: /predictions/*/fare_amount", /retry\.idempotent_paths names no path whose answers/],
    [
      "predictions: { at: /y, range: [5, 1], paths: [/p] }",
      /^predictions\.range is .*expected none, or the least/,
    ],
    ["predictions: { range: [1, 5] }", /^predictions\.at is missing/],
    ["shadow: { slices: [{ field: /a, buckets: [2, 1] }] }", /^shadow\.slices\[0\]\.buckets is .*rising/],
    ["shadow: { rate: 0 }", /^shadow\.rate is 0; expected a whole number from 1 to 100000\.$/],
    ["hedge: { after: p99 }", /^hedge\.after is "p99"; expected p95\.$/],
    ["metrics: { listen: prometheus }", /^metrics\.listen is "prometheus"; expected admin, or an address/],
    [
      "metrics: { listen: 127.0.0.1:9900 }",
      /^metrics\.listen is 127\.0\.0\.1:9900, which admin\.listen .* already takes/,
    ],
    [
      "admin: { listen: 127.0.0.1:8080 }",
      /^admin\.listen is 127\.0\.0\.1:8080, which listen \(0\.0\.0\.0:8080\) already takes/,
    ],
    ["metrics: { listen: 0.0.0.0:9900 }", /^metrics\.listen is 0\.0\.0\.0:9900, which admin\.listen/],
    [
      "admin: { listen: :8080, token: a }",
      /^admin\.listen is 0\.0\.0\.0:8080, which listen \(0\.0\.0\.0:8080\) already takes/,
    ],
    [
      "admin: { listen: 0.0.0.0:9900 }",
      /^admin\.listen is 0\.0\.0\.0:9900, which other machines can reach; expected a loopback address/,
    ],
    ["log: { level: loud }", /^log\.level is "loud"; expected trace, debug/],
    ["log: { access: some }", /^log\.access is "some"; expected all, errors or off\.$/],
    ["helth: {}", /^helth is not an option; did you mean health\?$/],
    ["health: { intervall: 1s }", /^health\.intervall is not an option; did you mean health\.interval\?$/],
    ["interval: 1s", /^interval is not an option; did you mean health\.interval\?$/],
    ["metrics: { port: 1 }", /^metrics\.port is not an option; expected one of listen\.$/],
    ["__proto__: { x: 1 }", /^__proto__ is not an option/],
  ])("%s", (yaml, message) => {
    const found = problems(`${COLORS}${yaml}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });
});
