import { beforeAll, describe, expect, it } from "vitest";
import { JSON_TYPE, type Parts, refuses, withFolder } from "../../test/support/refusals.ts";

describe("a refused call changes nothing and answers with a problem document:", () => {
  let parts: Parts;
  beforeAll(async () => {
    parts = await withFolder();
  });

  it.each([
    ["text that is not JSON", '{"blue":', /not JSON/],
    ["no body", undefined, /body is missing/],
    ["an empty body", "", /body is missing/],
    ["a list", "[90, 10]", /weights: /],
    ["a number", "7", /weights: /],
    ["null", "null", /weights: /],
    ["invalid UTF-8", new TextDecoder("latin1").decode(new Uint8Array([0x22, 0xff, 0x22])), /./],
    ["a color twice", '{"blue":90,"green":10,"blue":0}', /names "blue" twice/],
    ["a color twice, escaped", '{"weights":{"blue":1,"green":1,"bl\\u0075e":2}}', /names "blue" twice/],
    ["an unknown color", { blue: 90, green: 5, red: 5 }, /no color "red"; there are blue, green/],
    ["a prototype's name", '{"blue":90,"green":10,"__proto__":5}', /__proto__/],
    ["another prototype's name", { blue: 1, green: 1, toString: 1 }, /toString/],
    ["a missing color", { green: 10 }, /No weight is given for blue/],
    ["nothing", {}, /No weight is given for blue, green/],
    [
      "a negative weight",
      { blue: -1, green: 1 },
      /weight of blue is -1; expected a finite number of at least 0/,
    ],
    ["an infinite weight", '{"blue":1e999,"green":1}', /weight of blue is Infinity/],
    ["zeros alone", { blue: 0, green: 0 }, /All weights are 0/],
    ["a weight in quotes", { blue: "90", green: 10 }, /weight of blue is "90"/],
    ["a weight that is a list", { blue: [90], green: 10 }, /weight of blue is \[90\]/],
    ["a weight that is null", { blue: null, green: 10 }, /weight of blue is null/],
    ["true for a weight", { blue: true, green: 10 }, /weight of blue is true/],
    ["a key beside the long form", { weights: { blue: 1, green: 1 }, why: "x" }, /why/],
    ["a reason that is no text", { weights: { blue: 1, green: 1 }, reason: 5 }, /reason: /],
    ["a reason without end", { weights: { blue: 1, green: 1 }, reason: "x".repeat(501) }, /reason: /],
    ["weights that are a list", { weights: [1, 2] }, /weights: /],
  ])("400 for weights with %s", async (_, body, detail) => {
    await refuses(parts, ["POST", "/admin/weights", body, JSON_TYPE], 400, detail);
  });

  it.each([
    ["POST", "/admin/flip", undefined, /body is missing/],
    ["POST", "/admin/flip", {}, /to: /],
    ["POST", "/admin/flip", { to: "red" }, /no color "red"/],
    ["POST", "/admin/flip", { to: "blue", force: "yes" }, /force: /],
    ["POST", "/admin/flip", { to: "blue", when: "now" }, /when/],
    ["POST", "/admin/rollback", { to: "blue" }, /to/],
    ["POST", "/admin/rollback", [], /./],
    ["POST", "/admin/undo", { steps: 2 }, /steps/],
    ["PUT", "/admin/colors/green/targets", {}, /targets: /],
    ["PUT", "/admin/colors/green/targets", { targets: "http://127.0.0.1:1" }, /targets: /],
    ["PUT", "/admin/colors/green/targets", { targets: [5] }, /targets.0: /],
    ["PUT", "/admin/colors/red/targets", { targets: [] }, /no color "red"/],
    ["PUT", "/admin/colors/toString/targets", { targets: [] }, /no color "toString"/],
    [
      "PUT",
      "/admin/colors/green/targets",
      { targets: ["http://127.0.0.1:1", "http://127.0.0.1:1/"] },
      /named twice/,
    ],
    ["PUT", "/admin/colors/green/targets", { targets: ["ftp://127.0.0.1:1"] }, /"ftp:.*" is refused/],
    ["PUT", "/admin/colors/green/targets", { targets: ["http://127.0.0.1:1/path"] }, /no path/],
    ["PUT", "/admin/colors/green/targets", { targets: ["http://169.254.169.254"] }, /not allowed/],
    ["POST", "/admin/weights?wait=healthy", { blue: 1, green: 1 }, /wait: /],
    ["POST", "/admin/weights?wiat=drained", { blue: 1, green: 1 }, /wiat/],
    ["POST", "/admin/weights?timeout=5s", { blue: 1, green: 1 }, /wait=drained is missing/],
    ["POST", "/admin/weights?wait=drained&timeout=5", { blue: 1, green: 1 }, /duration with its unit/],
    ["POST", "/admin/weights?wait=drained&timeout=2h", { blue: 1, green: 1 }, /at most 1h/],
    ["POST", "/admin/weights?wait=drained&timeout=-1s", { blue: 1, green: 1 }, /duration/],
    ["GET", "/admin/history?limit=-1", undefined, /limit: /],
  ])("400 for %s %s with %j", async (method, path, body, detail) => {
    await refuses(parts, [method, path, body], 400, detail);
  });

  it("400 for an If-Match that is no entity tag", async () => {
    const call: [string, string, unknown, Record<string, string>] = [
      "POST",
      "/admin/weights",
      { blue: 1, green: 1 },
      { "If-Match": "seven" },
    ];
    await refuses(parts, call, 400, /expected a revision in quotes/);
  });

  it.each(['"99"', '"99", "98"', 'W/"1"', "99"])("412 for another revision (If-Match: %s)", async (tag) => {
    for (const [path, body] of [
      ["weights", { blue: 1, green: 1 }],
      ["flip", { to: "green" }],
      ["undo", {}],
    ] as const) {
      const answer = await refuses(
        parts,
        ["POST", `/admin/${path}`, body, { "If-Match": tag }],
        412,
        /revision is 1 now/,
      );
      expect(answer.body.code).toBe("revision_changed");
    }
  });

  it("404 for what is not there", async () => {
    for (const path of [
      "/",
      "/admin",
      "/admin/state/",
      "//admin/state",
      "/admin/nothing",
      "/admin/colors/green",
      "/%00",
      "/admin/%",
    ])
      await refuses(parts, ["GET", path], 404, /There is nothing at/);
  });

  it("405 for another method, with Allow", async () => {
    const rows = [
      ["DELETE", "/admin/state", "GET, HEAD"],
      ["POST", "/admin/state", "GET, HEAD"],
      ["GET", "/admin/weights", "POST"],
      ["OPTIONS", "/admin/flip", "POST"],
      ["POST", "/admin/colors/green/targets", "PUT"],
      ["PUT", "/metrics", "GET, HEAD"],
    ] as const;
    for (const [method, path, allow] of rows) {
      const answer = await refuses(parts, [method, path], 405, `answers ${allow} only`);
      expect(answer.headers.get("Allow")).toBe(allow);
    }
  });

  it("409 for a flip to a color without a healthy target, unless it is forced", async () => {
    const down = await withFolder();
    down.probe.down("http://127.0.0.1:8002");
    await down.clock.advance(10_000);
    const answer = await refuses(
      down,
      ["POST", "/admin/flip", { to: "green" }],
      409,
      /green has no healthy target/,
    );
    expect(answer.body).toMatchObject({ title: "No healthy target", code: "no_healthy_target" });
    const forced = await down.call("POST", "/admin/flip", { to: "green", force: true });
    expect(forced).toMatchObject({ status: 200, body: { weights: { blue: 0, green: 100 } } });
  });

  it("409 for an undo when nothing was changed, and for emptying a color that has weight", async () => {
    await refuses(parts, ["POST", "/admin/undo"], 409, /have not been changed yet/);
    await refuses(parts, ["PUT", "/admin/colors/green/targets", { targets: [] }], 409, /green has weight/);
  });

  it("413 for a body over 64 KiB, declared or not", async () => {
    const body = JSON.stringify({ weights: { blue: 1, green: 1 }, reason: "x".repeat(70_000) });
    await refuses(
      parts,
      ["POST", "/admin/weights", body, { "Content-Length": String(body.length) }],
      413,
      /larger than 65536/,
    );
    await refuses(parts, ["POST", "/admin/weights", body], 413, /larger than 65536/);
  });

  it.each([
    { "Content-Type": "application/x-www-form-urlencoded" },
    { "Content-Type": "text/plain" },
    { "Content-Type": "application/json-patch" },
    { "Content-Type": "application/json", "Content-Encoding": "gzip" },
  ])("415 for %j", async (headers) => {
    await refuses(
      parts,
      ["POST", "/admin/weights", { blue: 1, green: 1 }, headers],
      415,
      /Content-Type: application\/json/,
    );
  });

  it("507 when the disk is full, and says so", async () => {
    const full = await withFolder();
    full.disk.faults.set("write", "ENOSPC");
    const answer = await refuses(
      full,
      ["POST", "/admin/weights", { blue: 1, green: 1 }],
      507,
      /could not be saved \(ENOSPC\)/,
    );
    expect(answer.body.code).toBe("not_saved");
  });

  it("500 without a word of what broke, which the log has", async () => {
    const broken = await withFolder();
    Object.defineProperty(broken.plane.store, "history", {
      get: () => {
        throw new Error("secret");
      },
    });
    const answer = await broken.call("GET", "/admin/history");
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain("secret");
    expect(broken.log.lines.at(-1)).toMatchObject({
      level: "error",
      fields: { error: expect.stringContaining("secret") },
    });
  });
});
