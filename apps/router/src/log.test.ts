import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";

function capture(level: "info" | "warn" | "silent" = "info") {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

test("a line has an ISO time, a word for its level, and nothing else that was not asked for", () => {
  const { log, lines } = capture();
  log.warn({ color: "blue" }, "target down");
  expect(lines).toEqual([
    {
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      color: "blue",
      msg: "target down",
    },
  ]);
});

test("the level decides what is written", () => {
  const { log, lines } = capture("warn");
  log.info("no");
  log.error("yes");
  expect(lines.map(({ msg }) => msg)).toEqual(["yes"]);
});

test("secrets are left out, in objects within objects too", () => {
  const { log, lines } = capture();
  log.info(
    {
      token: "hunter2",
      admin: { token: "hunter2", secret: "hunter2" },
      config: { admin: { tokens: "kept", token: "hunter2" } },
      req: { headers: { authorization: "Bearer hunter2", "x-sluice-secret": "hunter2", host: "a" } },
      headers: { "x-sluice-secret": "hunter2" },
    },
    "x",
  );
  expect(JSON.stringify(lines)).not.toContain("hunter2");
  expect(lines[0]).toMatchObject({
    token: "***",
    req: { headers: { host: "a" } },
    config: { admin: { tokens: "kept" } },
  });
});

test("an error keeps its message and its stack", () => {
  const { log, lines } = capture();
  log.error({ err: new Error("broke") }, "x");
  expect(lines[0]?.err).toMatchObject({ message: "broke", stack: expect.stringContaining("log.test.ts") });
});

test.each(["process.exit(0)", "flushLog(log).then(() => process.exit(0))"])(
  "no line is lost when the process ends by %s",
  async (ending) => {
    const module = fileURLToPath(new URL("./log.ts", import.meta.url));
    const script = `import { createLog, flushLog } from ${JSON.stringify(module)};
      const log = createLog({ level: "info" });
      setImmediate(() => { for (let i = 0; i < 5000; i++) log.info({ i }, "x"); ${ending}; });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    let output = "";
    for await (const chunk of child.stdout) output += chunk;
    expect(output.trimEnd().split("\n")).toHaveLength(5000);
  },
);

/** A process that logs its first line at once, and does `ending` at SIGTERM. */
function logger(ending: string) {
  const module = fileURLToPath(new URL("./log.ts", import.meta.url));
  const script = `import { createLog, flushLog } from ${JSON.stringify(module)};
    const log = createLog({ level: "info" });
    process.on("SIGTERM", async () => { ${ending} });
    log.info("first");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  return { child, ended };
}

test.each(["process.exit(7)", "await flushLog(log); process.exit(7)"])(
  "a reader that went away does not hold up the end by %s",
  async (exit) => {
    const { child, ended } = logger(`for (let i = 0; i < 100; i++) log.info("x"); ${exit};`);
    child.stdout.once("data", () => {
      child.stdout.destroy();
      child.kill("SIGTERM");
    });
    expect(await ended).toBe(7);
  },
);
