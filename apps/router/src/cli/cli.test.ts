import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, describe, expect, test } from "vitest";
import { exitCodeOf } from "./errors.ts";
import { type Answer, type FakeAdmin, type Run, sluice, startFakeAdmin } from "./fake-admin.ts";
import { createProgram } from "./program.ts";

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
const CHANGED = { revision: 4, epoch: 8, weights: { blue: 9, green: 1 }, previous: { blue: 100, green: 0 } };
const problem = (status: number, detail: string): Answer => ({
  status,
  type: "application/problem+json",
  body: { type: "about:blank", title: "No", status, detail },
});

const open: FakeAdmin[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function admin(answers: Record<string, Answer>): Promise<FakeAdmin> {
  const started = await startFakeAdmin(answers);
  open.push(started);
  return started;
}

/** What ends a verb that fails, without the cost of a process for each. */
async function rejection(args: readonly string[]): Promise<{ message: string; exitCode: number }> {
  let message = "";
  const quiet = (program: Command): void => {
    program.configureOutput({ ...program.configureOutput(), writeErr: (text) => (message += text) });
    program.commands.forEach(quiet);
  };
  const program = createProgram();
  quiet(program);
  const error = await program.parseAsync(args, { from: "user" }).then(
    () => new Error("it did not fail"),
    (reason: Error) => reason,
  );
  return { message: message || error.message, exitCode: exitCodeOf(error) };
}

/** One sentence on stderr, nothing on stdout. */
function expectRefusal(run: Run, code: number, sentence: RegExp | string): void {
  expect(run.stderr).toMatch(/^sluice: .*\n$/);
  if (typeof sentence === "string") expect(run.stderr).toBe(`sluice: ${sentence}\n`);
  else expect(run.stderr).toMatch(sentence);
  expect(run).toMatchObject({ code, stdout: "" });
}

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
    const { stdout } = await sluice(["--json", "status"], { SLUICE_ADMIN: url });
    expect(JSON.parse(stdout)).toEqual(STATE);
  });

  test("status in color only where colors are asked for, and not with NO_COLOR", async () => {
    const { url } = await admin({ "GET /admin/state": { body: STATE } });
    expect((await sluice(["status", "--admin", url], { FORCE_COLOR: "1" })).stdout).toContain("\u001b[32mup");
    expect((await sluice(["status", "--admin", url], { NO_COLOR: "1" })).stdout).not.toContain("\u001b");
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
    const lines = (await sluice(["history", "-n", "2", "--admin", url], { TZ: "UTC" })).stdout.split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^3 +2026-11-21 20:02:00 +targets +green none → green http:\/\/a:1 +ops$/);
    expect(lines[2]).toMatch(/^2 +2026-11-21 20:01:00 +flip +blue 100 % → green 100 % +ops +1\.0\.1$/);
    expect(JSON.parse((await sluice(["history", "--json", "--admin", url])).stdout)).toEqual(
      history.toReversed(),
    );
  });

  test("health is well when each color with weight has a healthy target", async () => {
    const { url } = await admin({
      "GET /readyz": { body: { status: "ready" } },
      "GET /admin/state": { body: STATE },
    });
    expect(await sluice(["health", "--admin", url])).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^router ready\nblue up http:\/\/127.0.0.1:8001 1.0.0\ngreen down /),
    });
  });

  test("health exits 1 when a color with weight has none, or the router is not ready", async () => {
    const [blue, green] = STATE.colors;
    const sick = { ...STATE, colors: [blue, { ...green, targets: [] }] };
    const one = await admin({ "GET /readyz": { body: {} }, "GET /admin/state": { body: sick } });
    expect(await sluice(["health", "--admin", one.url])).toMatchObject({
      code: 1,
      stderr: "sluice: no healthy target: green.\n",
    });
    const two = await admin({
      "GET /readyz": problem(503, "Draining."),
      "GET /admin/state": { body: STATE },
    });
    const run = await sluice(["health", "--json", "--admin", two.url]);
    expect(run).toMatchObject({ code: 1, stderr: "sluice: the router is not ready to take traffic.\n" });
    expect(JSON.parse(run.stdout)).toMatchObject({ ready: false, healthy: false });
  });

  test("predict says what was predicted and by which color, and tallies many", async () => {
    const { url, seen } = await admin({
      "POST /api/predict/": {
        headers: { "X-Sluice-Color": "blue" },
        body: {
          predictions: [{ fare_amount: 41.5 }],
          model: { name: "fare", version: "1.0.0" },
          color: "blue",
        },
      },
    });
    const { code, stdout } = await sluice(["predict", "-n", "3", "--url", url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\$41\.50 says blue 1\.0\.0, in [\d.]+ ms\nblue 3\n$/);
    expect(seen[0]?.body).toMatchObject({ data: [{ passenger_count: 2 }] });
    const answer = JSON.parse((await sluice(["predict", "--json"], { SLUICE_URL: url })).stdout);
    expect(answer).toMatchObject({ fare_amount: 41.5, color: "blue", version: "1.0.0" });
  });

  test("predict passes on why there is no prediction", async () => {
    const { url } = await admin({ "POST /api/predict/": problem(503, "No healthy target is left.") });
    expectRefusal(
      await sluice(["predict", "--url", url]),
      1,
      `${url} answered 503: No healthy target is left.`,
    );
  });
});

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
    const run = await sluice([...args, "--admin", fake.url]);
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
    const run = await sluice(["flip", "green", ...options]);
    expect(JSON.parse(run.stdout)).toMatchObject(CHANGED);
    expect(fake.seen[0]?.call).toBe("POST /admin/flip?wait=drained&timeout=5s");
    expect(fake.seen[0]?.headers).toMatchObject({ "if-match": '"3"', authorization: "Bearer t0ken" });
  });

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
    expect(await sluice([...args, "--admin", fake.url])).toEqual({
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
    const run = await sluice([...args, "--admin", fake.url]);
    expect(run).toMatchObject({
      code: 0,
      stdout: "nothing was held up: new requests go on (revision 4)\n",
    });
  });

  test("pause --wait --tunnels waits, and says what it holds", async () => {
    const body = { revision: 4, gate: PAUSED, drained: false, in_flight: { blue: 0 }, tunnels: { blue: 2 } };
    const fake = await admin({ "POST /admin/pause": { body } });
    const run = await sluice(["pause", "--wait", "--tunnels", "--admin", fake.url], { TZ: "UTC" });
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
    const run = await sluice(args);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("a wait that ended too early exits 1 and says what is left", async () => {
    const fake = await admin({
      "POST /admin/flip": { body: { ...CHANGED, drained: false, in_flight: { blue: 2, green: 0 } } },
    });
    expect(await sluice(["flip", "green", "--wait", "--admin", fake.url])).toMatchObject({
      code: 1,
      stderr: "sluice: the change is in force, but after 30s it is not drained: blue has 2 in flight.\n",
    });
  });

  test("a change that could not be saved yet is said on stderr and is no failure", async () => {
    const fake = await admin({ "POST /admin/rollback": { body: { ...CHANGED, saved: false } } });
    const run = await sluice(["rollback", "--admin", fake.url]);
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining("could not be saved") });
  });

  test("a token comes from a file too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-cli-"));
    writeFileSync(join(folder, "token"), "from-file\n");
    const fake = await admin({ "POST /admin/undo": { body: CHANGED } });
    await sluice(["undo", "--admin", fake.url, "--token-file", join(folder, "token")], {
      SLUICE_ADMIN_TOKEN: "from-env",
    });
    await sluice(["undo", "--admin", fake.url], { SLUICE_ADMIN_TOKEN: "from-env" });
    rmSync(folder, { recursive: true });
    expect(fake.seen.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer from-file",
      "Bearer from-env",
    ]);
  });
});

describe("what goes wrong", () => {
  test("no router: one sentence that says how to start one", async () => {
    const { url, close } = await startFakeAdmin({});
    await close();
    const sentence = `no router answers at ${url} (connection refused). Is it running? Start it with \`npm start\` or \`sluice serve --config sluice.yaml\`.`;
    expectRefusal(await sluice(["status", "--admin", url]), 1, sentence);
    for (const verb of [["flip", "green"], ["health"], ["history"], ["rollback"]]) {
      expect(await rejection([...verb, "--admin", url])).toEqual({ message: sentence, exitCode: 1 });
    }
  });

  test("a refusal is the problem document's detail", async () => {
    const { url } = await admin({ "POST /admin/weights": problem(400, "There is no color\n red.") });
    expectRefusal(await sluice(["weights", "red=1", "--admin", url]), 1, "There is no color red.");
  });

  test("401 says how to give a token, or that this one is wrong", async () => {
    const { url } = await admin({ "GET /admin/state": problem(401, "A token is needed.") });
    expectRefusal(
      await sluice(["status", "--admin", url]),
      1,
      /asks for a token: give it in SLUICE_ADMIN_TOKEN or/,
    );
    expectRefusal(await sluice(["status", "--admin", url, "--token", "x"]), 1, /does not accept this token/);
  });

  test.each<[string, Answer]>([
    ["a page", { type: "text/html", body: "<h1>hello" }],
    ["a page's 404", { status: 404, type: "text/html", body: "nothing" }],
    ["a redirect", { status: 302, headers: { Location: "http://127.0.0.1:1/" }, body: "" }],
    ["broken JSON", { body: "{" }],
    ["other JSON", { body: { hello: 1 } }],
    ["a number", { body: "7" }],
  ])("another service on the port (%s) is recognised", async (_, answer) => {
    const { url } = await admin({
      "GET /admin/state": answer,
      "POST /admin/undo": answer,
      "GET /admin/history": answer,
    });
    for (const verb of ["status", "undo", "history"]) {
      expectRefusal(
        await sluice([verb, "--admin", url]),
        1,
        /is not a Sluice admin API \(.*\)\. Is --admin right\?\n$/,
      );
    }
  });

  test("a service that does not speak HTTP is recognised", async () => {
    const server = createServer((socket) => socket.end("220 mail ready\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expectRefusal(
      await sluice(["status", "--admin", `127.0.0.1:${port}`]),
      1,
      /not a Sluice admin API|no router answers/,
    );
    server.close();
  });

  test.each([
    [["weights", "blue=abc"], /"blue=abc" is no weight; expected COLOR=NUMBER/],
    [["weights", "blue=-1"], /"blue=-1" is no weight/],
    [["weights", "blue=1e999"], /is no weight/],
    [["weights", "blue"], /is no weight/],
    [["weights", "blue=1", "blue=2"], /blue is given twice/],
    [["weights"], /missing required argument/],
    [["flip"], /missing required argument/],
    [["flip", "green", "blue"], /too many arguments/],
    [["flip", "green", "--if-match", "x"], /--if-match is "x"; expected a revision/],
    [["flip", "green", "--wait", "--timeout", "5"], /--timeout is "5"; expected a duration/],
    [["history", "--limit", "0"], /--limit is "0"/],
    [["predict", "--count", "x"], /--count is "x"/],
    [["predict", "--url", "here"], /expected a URL/],
    [["status", "--admin", "ftp://a"], /the admin address is "ftp:\/\/a"; expected a URL/],
    [["status", "--token-file", "/nowhere"], /\/nowhere cannot be read \(ENOENT\)/],
    [["status", "--token", "a b"], /the admin token is empty or holds/],
    [["up", "--port", "99999"], /the port is "99999"/],
    [["flipp", "green"], /unknown command 'flipp' \(Did you mean flip\?\)/],
    [["status", "--jsn"], /unknown option '--jsn' \(Did you mean --json\?\)/],
  ])("%j is a usage error", async (args, sentence) => {
    expect(await rejection(args)).toEqual({ message: expect.stringMatching(sentence), exitCode: 2 });
  });

  test("a usage error is one sentence on stderr and exit 2, whoever finds it", async () => {
    expectRefusal(await sluice(["weights", "blue=abc"]), 2, /^sluice: "blue=abc" is no weight/);
    expectRefusal(await sluice(["flipp", "green"]), 2, "unknown command 'flipp' (Did you mean flip?)");
  });

  test("what Node makes of the sources is kept with the packages, for it and for what it starts", async () => {
    const tell = `import { getCompileCacheDir } from "node:module";
      process.once("exit", () => console.log([getCompileCacheDir(), process.env.NODE_COMPILE_CACHE].join(" ")));`;
    const run = await sluice(["check", "--table"], {
      NODE_COMPILE_CACHE: undefined,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tell)}`,
    });
    expect(run.stdout).toMatch(/node_modules\/\.cache\/sluice\/\S+ \S+node_modules\/\.cache\/sluice\n$/);
  });

  test("a reader that goes away ends it quietly", async () => {
    const history = Array.from({ length: 20_000 }, (_, revision) => ({
      revision,
      at: "2026-11-21T20:00:00Z",
      kind: "undo",
    }));
    const { url } = await admin({ "GET /admin/history": { body: { history } } });
    const { spawn } = await import("node:child_process");
    const { fileURLToPath } = await import("node:url");
    const bin = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));
    const command = `"${process.execPath}" "${bin}" history --json -n 20000 --admin ${url} | head -n 1`;
    const child = spawn("/bin/bash", ["-c", `${command}; exit \${PIPESTATUS[0]}`], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect({ code, output }).toEqual({ code: 0, output: "[\n" });
  });
});

describe("check", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-check-"));
  const write = (text: string) => {
    writeFileSync(join(folder, "sluice.yaml"), text);
    return join(folder, "sluice.yaml");
  };

  test("says that a good file is good, and shows it without its secrets", async () => {
    const path = write("admin: { token: hunter2 }\ncolors: { blue: { weight: 1 } }\n");
    const run = await sluice(["check", "--config", path]);
    expect(run).toEqual({
      code: 0,
      stderr: "",
      stdout: `${path} is valid: blue behind 0.0.0.0:8080, admin at 127.0.0.1:9900.\n`,
    });
    const { stdout } = await sluice(["check", "--json", "-c", path]);
    expect(stdout).not.toContain("hunter2");
    expect(JSON.parse(stdout)).toMatchObject({
      health: { interval: 2000 },
      admin: { tokens: [{ token: "***" }] },
    });
  });

  test("serve and check stop at a bad file with the same message", async () => {
    const path = write("colors: { blue: { weight: 1 } }\nhelth: {}\nlisten: 1\n");
    const run = await sluice(["check", "--config", path]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /^sluice: .*sluice\.yaml has 2 problems:\n {2}listen is 1; .*\n {2}helth is not .*\n$/,
    );
    expect(await sluice(["serve", "--config", path])).toEqual(run);
  });

  test("the project's own sluice.yaml is good", async () => {
    const path = new URL("../../../../sluice.yaml", import.meta.url).pathname;
    expect(await sluice(["check", "--config", path])).toMatchObject({ code: 0 });
  });
});

describe("help", () => {
  const VERBS =
    "up serve check status health weights flip rollback undo pause resume maintenance history predict".split(
      " ",
    );

  test.each(VERBS)("sluice %s --help has an example and the global options", (verb) => {
    const command = createProgram().commands.find((each) => each.name() === verb);
    let text = "";
    command?.configureOutput({ writeOut: (part) => (text += part) });
    command?.outputHelp();
    expect(text).toMatch(/\nExamples?:\n {2}\$ (sluice|npm) /);
    expect(text).toContain("--admin <url>");
  });

  test("sluice --help lists every verb and exits 0", async () => {
    const { code, stdout } = await sluice(["--help"]);
    expect(code).toBe(0);
    for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`\n {2}${verb} `));
  });
});
