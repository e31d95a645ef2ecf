import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { admin } from "../../test/support/fake-admin.ts";
import { sluiceHere } from "../../test/support/sluice-command.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

const CHANGED = { revision: 4, epoch: 8, weights: { blue: 9, green: 1 }, previous: { blue: 100, green: 0 } };

describe("verbs that change", () => {
  test.each([
    [["weights", "blue=90", "green=.5"], "POST /admin/weights", { weights: { blue: 90, green: 0.5 } }],
    [["weights", "a=1", "--reason", "x y"], "POST /admin/weights", { weights: { a: 1 }, reason: "x y" }],
    [["flip", "green"], "POST /admin/flip", { to: "green" }],
    [["flip", "green", "--force"], "POST /admin/flip", { to: "green", force: true }],
    [["rollback"], "POST /admin/rollback", {}],
    [["undo", "--reason", "oops"], "POST /admin/undo", { reason: "oops" }],
  ])("%j asks for it and says what it did", async (args, call, body) => {
    const fake = await admin({ [call]: { body: CHANGED } });
    const run = await sluiceHere([...args, "--admin", fake.url]);
    expect(run).toEqual({
      code: 0,
      stderr: "",
      stdout: "blue 90 %, green 10 % (was blue 100 %, green 0 %; revision 4)\n",
    });
    expect(fake.seen).toMatchObject([{ call, body, headers: { "x-sluice-actor": userInfo().username } }]);
    expect(fake.seen[0]?.headers["if-match"]).toBeUndefined();
  });

  test("--wait, --timeout, --if-match and the token reach the router", async () => {
    const fake = await admin({ "POST /admin/flip": { body: { ...CHANGED, drained: true, in_flight: {} } } });
    const options = [
      "--wait",
      "--timeout",
      "5s",
      "--if-match",
      "3",
      "--token",
      "t0ken",
      "--json",
      "--admin",
      fake.url,
    ];
    const run = await sluiceHere(["flip", "green", ...options]);
    expect(JSON.parse(run.stdout)).toMatchObject(CHANGED);
    expect(fake.seen[0]?.call).toBe("POST /admin/flip?wait=drained&timeout=5s");
    expect(fake.seen[0]?.headers).toMatchObject({ "if-match": '"3"', authorization: "Bearer t0ken" });
  });

  test("a wait that ended too early exits 1 and says what is left", async () => {
    const fake = await admin({
      "POST /admin/flip": { body: { ...CHANGED, drained: false, in_flight: { blue: 2, green: 0 } } },
    });
    expect(await sluiceHere(["flip", "green", "--wait", "--admin", fake.url])).toMatchObject({
      code: 1,
      stderr: "sluice: the change is in force, but after 30s it is not drained: blue has 2 in flight.\n",
    });
  });

  test("a change that could not be saved yet is said on stderr and is no failure", async () => {
    const fake = await admin({ "POST /admin/rollback": { body: { ...CHANGED, saved: false } } });
    const run = await sluiceHere(["rollback", "--admin", fake.url]);
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining("could not be saved") });
  });

  test("a token comes from a file too", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "token"), "from-file\n");
    const fake = await admin({ "POST /admin/undo": { body: CHANGED } });
    await sluiceHere(["undo", "--admin", fake.url, "--token-file", join(folder, "token")], {
      SLUICE_ADMIN_TOKEN: "from-env",
    });
    await sluiceHere(["undo", "--admin", fake.url], { SLUICE_ADMIN_TOKEN: "from-env" });
    expect(fake.seen.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer from-file",
      "Bearer from-env",
    ]);
  });
});
