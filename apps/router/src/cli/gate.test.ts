import { describe, expect, test } from "vitest";
import { admin } from "../../test/support/fake-admin.ts";
import { sluiceHere } from "../../test/support/sluice-command.ts";

describe("pause, resume and maintenance", () => {
  const PAUSED = {
    kind: "pause",
    max: 5,
    timeout: 2,
    until: "2026-11-21T12:01:00.000Z",
    reason: null,
    held: 3,
  };

  test.each([
    [["pause"], "POST /admin/pause", {}],
    [
      ["pause", "--max", "5", "--hold", "2s", "--for", "1m", "--reason", "x"],
      "POST /admin/pause",
      { max: 5, timeout: "2s", for: "1m", reason: "x" },
    ],
    [["resume"], "POST /admin/resume", {}],
    [["resume", "--force"], "POST /admin/resume", { force: true }],
    [["maintenance", "off"], "POST /admin/maintenance", { on: false }],
    [
      ["maintenance", "on", "--message", "m", "--retry-after", "5m"],
      "POST /admin/maintenance",
      { on: true, message: "m", retry_after: "5m" },
    ],
  ])("%j asks for it and says what becomes of new requests", async (args, call, body) => {
    const fake = await admin({ [call]: { body: { revision: 4, epoch: 5, gate: null } } });
    expect(await sluiceHere([...args, "--admin", fake.url])).toEqual({
      code: 0,
      stderr: "",
      stdout: "new requests go on (revision 4)\n",
    });
    expect(fake.seen).toMatchObject([{ call, body }]);
    expect(fake.seen[0]?.body).toEqual(body);
  });

  test.each([["resume"], ["maintenance", "off"]])("%s says so where nothing was held up", async (...args) => {
    const body = { revision: 4, epoch: 5, gate: null, changed: false };
    const fake = await admin({ [`POST /admin/${args[0]}`]: { body } });
    const run = await sluiceHere([...args, "--admin", fake.url]);
    expect(run).toMatchObject({
      code: 0,
      stdout: "nothing was held up: new requests go on (revision 4)\n",
    });
  });

  test("pause --wait --tunnels waits, and says what it holds", async () => {
    const body = { revision: 4, gate: PAUSED, drained: false, in_flight: { blue: 0 }, tunnels: { blue: 2 } };
    const fake = await admin({ "POST /admin/pause": { body } });
    const run = await sluiceHere(["pause", "--wait", "--tunnels", "--admin", fake.url], { TZ: "UTC" });
    expect(run).toEqual({
      code: 1,
      stdout:
        "paused until 12:01:00: each worker holds up to 5 requests, each for up to 2 s; 3 held (revision 4)\n",
      stderr: "sluice: the change is in force, but after 30s it is not drained: blue has 2 tunnels open.\n",
    });
    expect(fake.seen[0]?.call).toBe("POST /admin/pause?wait=drained&timeout=30s&tunnels=true");
  });

  test.each([
    [["maintenance", "maybe"], '"maybe"; expected on or off'],
    [["maintenance"], "missing required argument"],
    [["pause", "--max", "many"], '--max is "many"; expected a whole number'],
    [["flip", "green", "--tunnels"], "--wait is missing"],
  ])("%j is refused as wrong usage", async (args, message) => {
    const run = await sluiceHere(args);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
  });
});
