import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { call, InferenceClient, typed } from "./support/grpc.ts";
import { modelFile, type Running, startServer } from "./support/process.ts";

/** A copy of the bundle where no node_modules can be found from. */
function elsewhere(): string {
  const folder = mkdtempSync(join(tmpdir(), "model-api-dist-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  cpSync(join(import.meta.dirname, "../dist"), folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  return join(folder, "main.js");
}

describe("the bundle, without node_modules", () => {
  let server: Running;

  beforeAll(async () => {
    server = await startServer(["--model", modelFile(), "--drain-quiet", "10ms"], {}, elsewhere());
  });

  afterAll(() => server.child.kill("SIGKILL"));

  it("predicts", async () => {
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ data: [TRIP] }) };
    expect((await fetch(`${server.url}/api/predict/`, init)).status).toBe(200);
  });

  it("speaks gRPC, with its protos compiled in", async () => {
    const client = new InferenceClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const { value, error } = await call(client, "ModelInfer", {
      modelName: "taxi-fare",
      inputs: typed([TRIP]),
    });
    client.close();
    expect(error).toBeNull();
    expect(value.modelVersion).toBe("1.2.3");
  });

  it("shows its documentation from the files beside it", async () => {
    for (const path of ["", "/swagger-ui-bundle.js", "/swagger-ui.css", "/init.js", "/favicon-32x32.png"])
      expect((await fetch(`${server.url}/docs${path}`)).status, path).toBe(200);
    expect((await fetch(`${server.url}/openapi.json`)).status).toBe(200);
  });

  it("serves metrics and ends in good order", async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
  });
});
