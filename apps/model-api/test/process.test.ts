import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mockArtifact } from "@sluice/model";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { bodyOf, TRIP } from "./support/api.ts";
import { modelFile, type Running, runToEnd, startServer } from "./support/process.ts";

const running: Running[] = [];

async function started(...args: Parameters<typeof startServer>): Promise<Running> {
  const server = await startServer(...args);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});

describe("a start", () => {
  it("with a model is ready and predicts", async () => {
    const { url } = await started(["--color", "blue", "--model", modelFile()]);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const response = await fetch(`${url}/api/predict/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data: [TRIP] }),
    });
    expect(response.headers.get("X-Model-Version")).toBe("1.2.3");
    expect(await bodyOf(response)).toMatchObject({ model: { version: "1.2.3" }, color: "blue" });
  });

  it("takes its settings from the environment, as an image does", async () => {
    const { url } = await started([], { MODEL_PATH: modelFile(), COLOR: "green", HOST: "0.0.0.0" });
    expect(await bodyOf(await fetch(url))).toMatchObject({ ready: true, color: "green" });
  });

  it("logs requests at level debug only, with the id that the router gave", async () => {
    const { url, child, ended, logged } = await started([], { LOG_LEVEL: "debug" });
    await fetch(`${url}/health?a=1`, {
      headers: {
        "X-Request-Id": "abc",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      },
    });
    await logged("request");
    child.kill("SIGKILL");
    expect((await ended).stdout).toMatch(
      /"method":"GET","path":"\/health","status":200,.*"request_id":"abc","trace_id":"0af7651916cd43dd8448eb211c80319c"/,
    );
    const quiet = await started([]);
    await fetch(`${quiet.url}/health`);
    quiet.child.kill("SIGKILL");
    expect((await quiet.ended).stdout).not.toContain('"request"');
  });

  it.each([[[]], [["--model", "/nowhere/model.json"]]])(
    "without a model (%j) is alive but not ready",
    async (args) => {
      const { url, ended, child } = await started(args);
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect((await fetch(`${url}/health/ready`)).status).toBe(503);
      child.kill("SIGKILL");
      expect((await ended).stdout).toContain(args.length ? "model file is not there" : "no model given");
    },
  );
});

describe("a start is refused", () => {
  const artifact = mockArtifact("1.2.3");
  const text = (change: object) => JSON.stringify({ ...artifact, ...change });

  it.each([
    ["tampered with", text({ intercept: 5 }), /the digest is sha256:\w+ but the content has sha256:\w+/],
    ["cut off", text({}).slice(0, 900), /not JSON, perhaps cut off/],
    ["of another schema", text({ schema_version: 2 }), /schema_version is 2/],
    ["missing a part", text({ golden: undefined }), /golden/],
    ["empty", "", /not JSON/],
  ])("with a model that is %s: one sentence, exit 1, nothing listens", async (_, content, why) => {
    const file = modelFile(content);
    const { code, stderr, stdout } = await runToEnd(["--port", "0", "--model", file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
    expect(stderr).toContain(`model-api: the model in ${file} is refused: `);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
  });

  it("with a model that cannot be read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "model-api-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o700);
    const { code, stderr } = await runToEnd(["--model", folder]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^model-api: the model in .* cannot be read: EISDIR.*\n$/);
  });

  it("with a bad option: one sentence, exit 2", async () => {
    const { code, stderr } = await runToEnd(["--port", "x"]);
    expect(code).toBe(2);
    expect(stderr).toBe('model-api: --port is "x": expected a whole number from 0 to 65535.\n');
  });

  it("on a port that is taken: one sentence, exit 1", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const { code, stderr } = await runToEnd(["--port", String(port)]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `model-api: cannot listen on 127.0.0.1 port ${port}: another process listens there.\n`,
    );
  });

  it("but --help is answered with exit 0", async () => {
    const { code, stdout } = await runToEnd(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: model-api");
  });
});
