import { describe, expect, test } from "vitest";
import { admin, problem } from "../../test/support/fake-admin.ts";
import { sluice, sluiceHere } from "../../test/support/sluice-command.ts";

const STATE = {
  epoch: 7,
  revision: 3,
  weights: { blue: 90, green: 10 },
  standby: "green",
  colors: [
    {
      name: "blue",
      weight: 90,
      share: 0.9,
      in_flight: 4,
      targets: [
        { url: "http://127.0.0.1:8001", health: "up", in_flight: 4, suspect: false, version: "1.0.0" },
      ],
      rate: 123.4,
      error_ratio: 0.0012,
      p50: 0.0042,
      p99: 1.25,
    },
    {
      name: "green",
      weight: 10,
      share: 0.1,
      in_flight: 0,
      targets: [
        { url: "http://127.0.0.1:8002", health: "down", in_flight: 0, suspect: false },
        { url: "http://127.0.0.1:8003", health: "up", in_flight: 0, suspect: true },
      ],
      rate: 0,
      error_ratio: null,
      p50: null,
      p99: null,
    },
  ],
};
describe("verbs that look", () => {
  test("status prints a table without colors where no terminal is", async () => {
    const { url } = await admin({ "GET /admin/state": { body: STATE } });
    const { code, stdout, stderr } = await sluice(["status", "--admin", url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").map((line) => line.trimEnd())).toEqual([
      "color            weight  targets                             in flight  req/s  errors     p50    p99",
      "blue               90 %  up http://127.0.0.1:8001 1.0.0              4    123  0.12 %  4.2 ms  1.3 s",
      "green (standby)    10 %  down http://127.0.0.1:8002                  0      0       –       –      –",
      "                         up http://127.0.0.1:8003 (suspect)",
      "",
      "revision 3, epoch 7",
      "",
    ]);
  });

  test("status --json prints what the router said", async () => {
    const { url } = await admin({ "GET /admin/state": { body: STATE } });
    const { stdout } = await sluiceHere(["--json", "status"], { SLUICE_ADMIN: url });
    expect(JSON.parse(stdout)).toEqual(STATE);
  });

  test("status in color only where colors are asked for, and not with NO_COLOR", async () => {
    const { url } = await admin({ "GET /admin/state": { body: STATE } });
    expect((await sluiceHere(["status", "--admin", url], { FORCE_COLOR: "1" })).stdout).toContain(
      "\u001b[32mup",
    );
    expect((await sluiceHere(["status", "--admin", url], { NO_COLOR: "1" })).stdout).not.toContain("\u001b");
  });

  test("history lists the newest first", async () => {
    const history = [
      {
        revision: 1,
        at: "2026-11-21T20:00:00Z",
        kind: "start",
        who: "file",
        from: {},
        to: { blue: 100, green: 0 },
      },
      {
        revision: 2,
        at: "2026-11-21T20:01:00Z",
        kind: "flip",
        who: "ops",
        why: "1.0.1",
        from: { blue: 100 },
        to: { green: 5 },
      },
      {
        revision: 3,
        at: "2026-11-21T20:02:00Z",
        kind: "targets",
        who: "ops",
        from: { green: [] },
        to: { green: ["http://a:1"] },
      },
    ];
    const { url } = await admin({ "GET /admin/history": { body: { history } } });
    const lines = (await sluiceHere(["history", "-n", "2", "--admin", url], { TZ: "UTC" })).stdout.split(
      "\n",
    );
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^3 +2026-11-21 20:02:00 +targets +green none → green http:\/\/a:1 +ops$/);
    expect(lines[2]).toMatch(/^2 +2026-11-21 20:01:00 +flip +blue 100 % → green 100 % +ops +1\.0\.1$/);
    expect(JSON.parse((await sluiceHere(["history", "--json", "--admin", url])).stdout)).toEqual(
      history.toReversed(),
    );
  });

  test("health is well when each color with weight has a healthy target", async () => {
    const { url } = await admin({
      "GET /readyz": { body: { status: "ready" } },
      "GET /admin/state": { body: STATE },
    });
    expect(await sluiceHere(["health", "--admin", url])).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^router ready\nblue up http:\/\/127.0.0.1:8001 1.0.0\ngreen down /),
    });
  });

  test("health exits 1 when a color with weight has none, or the router is not ready", async () => {
    const [blue, green] = STATE.colors;
    const sick = { ...STATE, colors: [blue, { ...green, targets: [] }] };
    const one = await admin({ "GET /readyz": { body: {} }, "GET /admin/state": { body: sick } });
    expect(await sluiceHere(["health", "--admin", one.url])).toMatchObject({
      code: 1,
      stderr: "sluice: no healthy target: green.\n",
    });
    const two = await admin({
      "GET /readyz": problem(503, "Draining."),
      "GET /admin/state": { body: STATE },
    });
    const run = await sluiceHere(["health", "--json", "--admin", two.url]);
    expect(run).toMatchObject({ code: 1, stderr: "sluice: the router is not ready to take traffic.\n" });
    expect(JSON.parse(run.stdout)).toMatchObject({ ready: false, healthy: false });
  });
});
