import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Running, startGrpc } from "./support/grpc.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the scripts that package.json names. */
function run(script: "health" | "predict", ...args: string[]): Promise<Ended> {
  const file = join(import.meta.dirname, `../src/client/${script}.ts`);
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

let running: Running;

beforeAll(async () => {
  running = await startGrpc();
});

afterAll(() => running.stop());

describe("npm run grpc:predict", () => {
  it("prints a fare, with the model and color that gave it", async () => {
    const { code, stdout, stderr } = await run("predict", "--target", running.url);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({
      fare_amount: expect.any(Number),
      extrapolated: false,
      model: { name: "taxi-fare", version: "1.2.3" },
      color: "blue",
    });
  });
});

describe("npm run grpc:health", () => {
  it("prints what every service says, and exits with 1 when one is not serving", async () => {
    const well = await run("health", "--target", `127.0.0.1:${running.port}`);
    expect([well.code, JSON.parse(well.stdout)]).toEqual([
      0,
      { server: "SERVING", "inference.GRPCInferenceService": "SERVING" },
    ]);
    const without = await startGrpc({ model: false });
    const ill = await run("health", "--target", without.url);
    without.stop();
    expect([ill.code, JSON.parse(ill.stdout)]).toEqual([
      1,
      { server: "NOT_SERVING", "inference.GRPCInferenceService": "NOT_SERVING" },
    ]);
  });
});

describe.each(["health", "predict"] as const)("npm run grpc:%s", (script) => {
  it("says in one sentence that nobody answers, and exits with 1", async () => {
    const gone = await startGrpc();
    gone.stop();
    const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const http1 = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const target of [gone.url, http1]) {
      const { code, stdout, stderr } = await run(script, "--target", target);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(
        new RegExp(`^grpc:${script}: no gRPC server answers at ${target} \\(.*\\)\\. Is it running\\?.*\\n$`),
      );
    }
    other.close();
  });

  it("refuses options that it does not know, with exit code 2", async () => {
    for (const args of [["--bogus"], ["--target", "ftp://x"], ["--target"]]) {
      const { code, stderr } = await run(script, ...args);
      expect(code).toBe(2);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});
