import { describe, expect, it } from "vitest";
import { testPlane } from "../../test/support/plane.ts";
import { type RequestSpec, send, url } from "../../test/support/requests.ts";
import type { Config } from "../config/config.ts";

const colors = {
  blue: { weight: 1, targets: [url(1)] },
  green: { weight: 0, targets: [url(2)] },
};
const RULE = {
  header: "x-sluice-color",
  cookie: "sluice_color",
  from: ["10.0.0.0/8"],
  secret: "open sesame",
};

const plane = (more: Partial<Config> = {}) => testPlane(colors, { config: { override: RULE, ...more } });

const header = { "x-sluice-color": "green" };
const outside = "203.0.113.5";

/** The port that a request reaches: 2 is green, which only an override can reach. */
const reached = (spec: RequestSpec, more: Partial<Config> = {}) => send(plane(more).plane, spec).ports[0];

describe("an override is honored", () => {
  it.each<[string, RequestSpec]>([
    ["from its networks", { peer: "10.1.2.3", headers: header }],
    ["from a mapped address", { peer: "::ffff:10.1.2.3", headers: header }],
    ["with the secret", { peer: outside, headers: { ...header, "x-sluice-secret": "open sesame" } }],
    ["by its cookie", { peer: "10.1.2.3", headers: { cookie: "a=1; sluice_color=green" } }],
    [
      "by its cookie, with the secret",
      { peer: outside, headers: { cookie: "sluice_color=green", "x-sluice-secret": "open sesame" } },
    ],
  ])("%s, and reaches weight 0", (_, spec) => {
    const { plane: by } = plane();
    const { exchange, ports } = send(by, spec);
    expect(ports).toEqual([2]);
    expect(exchange.overridden).toBe(true);
  });
});

describe("an override is refused, and the request drawn as any other,", () => {
  it.each<[string, RequestSpec]>([
    ["without the secret", { peer: outside, headers: header }],
    ["with a wrong secret", { peer: outside, headers: { ...header, "x-sluice-secret": "open" } }],
    ["with an empty secret", { peer: outside, headers: { ...header, "x-sluice-secret": "" } }],
    ["by a cookie from elsewhere", { peer: outside, headers: { cookie: "sluice_color=green" } }],
    ["from a peer without an address", { peer: "", headers: header }],
    ["for a color that is not there", { peer: "10.1.2.3", headers: { "x-sluice-color": "mauve" } }],
    ["for an empty name", { peer: "10.1.2.3", headers: { "x-sluice-color": "" } }],
    ["for two colors at once", { peer: "10.1.2.3", headers: { "x-sluice-color": "green, blue" } }],
    ["for a name in other letters", { peer: "10.1.2.3", headers: { "x-sluice-color": "Green" } }],
    ["for a name of Object's", { peer: "10.1.2.3", headers: { "x-sluice-color": "constructor" } }],
    [
      "where X-Forwarded-For is made up",
      { peer: outside, headers: { ...header, "x-forwarded-for": "10.1.2.3" } },
    ],
  ])("%s", (_, spec) => {
    const { plane: by } = plane();
    const { exchange, ports } = send(by, spec);
    expect(ports).toEqual([1]);
    expect(exchange.overridden).toBe(false);
    expect(by.report().colors.blue).toMatchObject({ assigned: 1, overridden: 0 });
  });

  it("where none is configured", () => {
    expect(reached({ peer: "10.1.2.3", headers: header }, { override: undefined })).toBe(1);
  });

  it("with a secret where none is configured", () => {
    const spec = { peer: outside, headers: { ...header, "x-sluice-secret": "undefined" } };
    expect(reached(spec, { override: { ...RULE, secret: undefined } })).toBe(1);
  });

  it("by a header where only a cookie is configured", () => {
    expect(reached({ peer: "10.1.2.3", headers: header }, { override: { ...RULE, header: undefined } })).toBe(
      1,
    );
  });
});

describe("behind a trusted proxy", () => {
  const reachedFrom = (forwardedFor: string, trusted: readonly string[], peer = "192.168.0.1") =>
    reached({ peer, headers: { ...header, "x-forwarded-for": forwardedFor } }, { trusted_proxies: trusted });

  it("it is the client's own address that counts", () => {
    expect(reachedFrom("10.1.2.3", ["192.168.0.1/32"])).toBe(2);
    expect(reachedFrom("10.1.2.3", [])).toBe(1);
    expect(reachedFrom("10.1.2.3, 203.0.113.5", ["192.168.0.1/32"])).toBe(1);
  });

  it("an unnamed client has none of the proxy's rights", () => {
    const trusted = ["10.0.0.0/8"]; // the proxy itself is one of those who may override
    for (const told of [
      "unknown",
      "203.0.113.5, junk",
      "",
      "203.0.113.5, 10.0.0.2x",
      "203.0.113.5:99, 10.0.0.2",
    ]) {
      expect(reachedFrom(told, trusted, "10.0.0.2")).toBe(1);
    }
    expect(reachedFrom("10.9.9.9, 10.0.0.3", trusted, "10.0.0.2")).toBe(2);
  });
});

describe("an overridden request", () => {
  const spec = { peer: "10.1.2.3", headers: header };

  it("is counted apart and never becomes evidence", () => {
    const test = testPlane(
      { blue: { weight: 1, targets: [url(1)] }, green: { weight: 1, targets: [url(2)] } },
      { config: { override: RULE } },
    );
    send(test.plane, spec, () => "response_timeout");
    send(test.plane, spec);
    expect(test.plane.report().colors.green).toMatchObject({
      assigned: 0,
      overridden: 2,
      evidence: { requests: 0, bad: 0 },
      requests: { "GET 200": 1, "GET 504": 1 },
    });
  });

  it("takes no turn of the exact split", () => {
    const test = testPlane(
      { blue: { weight: 1, targets: [url(1)] }, green: { weight: 1, targets: [url(2)] } },
      { config: { override: RULE }, snapshot: { split: "exact" } },
    );
    const turns = Array.from({ length: 4 }, () => {
      send(test.plane, spec);
      return send(test.plane).ports[0];
    });
    expect(turns).toEqual([1, 2, 1, 2]);
  });

  it("does not fail over: whoever asks for a color wants no other's answer", () => {
    const test = plane();
    expect(send(test.plane, spec, () => "connect_failed").ports).toEqual([2, 2]);
    test.serve({ ...colors, green: { weight: 0, targets: [{ url: url(2), health: "down" }] } });
    expect(send(test.plane, spec)).toMatchObject({ ports: [], status: 503 });
  });

  it("gets no affinity cookie", () => {
    const test = plane({ affinity: { kind: "cookie", name: "uid" } });
    expect(send(test.plane, spec).exchange.setCookie).toBeUndefined();
  });
});
