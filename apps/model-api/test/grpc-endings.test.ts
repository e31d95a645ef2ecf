import { compressionAlgorithms, Metadata, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { call, InferenceClient, startGrpc, typed } from "./support/grpc.ts";
import { client, infer, refusal, running } from "./support/running-grpc.ts";

describe("the server and its model, over gRPC", () => {
  it("are alive, ready and described as over REST", async () => {
    expect((await call(client, "ServerLive")).value).toEqual({ live: true });
    expect((await call(client, "ServerReady")).value).toEqual({ ready: true });
    expect((await call(client, "ModelReady", { name: "taxi-fare", version: "1.2.3" })).value).toEqual({
      ready: true,
    });
    const rest = async (path: string) => (await fetch(`${running.url}${path}`)).json() as Promise<object>;
    expect((await call(client, "ServerMetadata")).value).toEqual(await rest("/v2"));
    const { value } = await call(client, "ModelMetadata", { name: "taxi-fare" });
    expect(value).toEqual(await rest("/v2/models/taxi-fare"));
  });

  it.each(["ModelReady", "ModelMetadata"])(
    "are NOT_FOUND for another name or version (%s)",
    async (method) => {
      const unknown = await call(client, method, { name: "other" });
      expect(unknown.error).toMatchObject({
        code: status.NOT_FOUND,
        details: 'Model "other" is unknown: this server has "taxi-fare".',
      });
      const { error } = await call(client, method, { name: "taxi-fare", version: "9" });
      expect(error?.code).toBe(status.NOT_FOUND);
    },
  );

  it("say in every answer which model it is, also when they refuse", async () => {
    const { digest } = running.model.artifact;
    for (const request of [{ inputs: typed([TRIP]) }, {}]) {
      const { metadata } = await infer(request);
      expect(metadata.get("x-model-version")).toEqual(["1.2.3"]);
      expect(metadata.get("x-model-digest")).toEqual([digest]);
    }
  });
});

describe("other endings of a call", () => {
  it("NOT_FOUND for another model or version", async () => {
    const request = { inputs: typed([TRIP]) };
    expect(await refusal({ ...request, modelName: "m" }, status.NOT_FOUND)).toMatch(/^Model "m" is unknown/);
    expect(await refusal({ ...request, modelVersion: "2" }, status.NOT_FOUND)).toMatch(
      /^Version "2" of model/,
    );
  });

  it("UNAVAILABLE without a model, which is not ready then", async () => {
    const without = await startGrpc({ model: false });
    const client = without.client(InferenceClient);
    const { error, metadata } = await infer({ inputs: typed([TRIP]) }, client);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "No model is loaded." });
    expect(metadata.get("x-model-version")).toEqual(["none"]);
    expect((await call(client, "ServerReady")).value).toEqual({ ready: false });
    expect((await call(client, "ServerLive")).value).toEqual({ live: true });
    expect((await call(client, "ModelReady", { name: "taxi-fare" })).value).toEqual({ ready: false });
    expect((await call(client, "ModelMetadata", { name: "taxi-fare" })).error?.code).toBe(status.UNAVAILABLE);
    without.stop();
  });

  it("RESOURCE_EXHAUSTED for a message over the limit, compressed or not", async () => {
    const small = await startGrpc({ bodyLimit: 2048 });
    for (const options of [{}, { "grpc.default_compression_algorithm": compressionAlgorithms.gzip }]) {
      const request = { inputs: typed(Array.from({ length: 100 }, () => TRIP)) };
      const { error } = await infer(request, small.client(InferenceClient, options));
      expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
      expect(error?.details).toMatch(/2048/);
    }
    expect((await infer({ inputs: typed([TRIP]) }, small.client(InferenceClient))).error).toBeNull();
    small.stop();
  });

  it("INTERNAL for a defect, whose reason stays in the log", async () => {
    const lines: string[] = [];
    const broken = await startGrpc({ log: pino({ level: "error" }, { write: (line) => lines.push(line) }) });
    Object.assign(broken.service.model!, {
      predict: () => {
        throw new Error("secret");
      },
    });
    const { error } = await infer({ inputs: typed([TRIP]) }, broken.client(InferenceClient));
    expect(error?.code).toBe(status.INTERNAL);
    expect(error?.message).not.toContain("secret");
    expect(lines.join()).toContain("secret");
    broken.stop();
  });

  it("DEADLINE_EXCEEDED by the client's clock or ours, and the next call is answered", async () => {
    const { error } = await call(
      client,
      "ModelInfer",
      { modelName: "taxi-fare" },
      { deadline: Date.now() - 1 },
    );
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    const metadata = new Metadata();
    metadata.set("grpc-timeout", "0m");
    const ours = await call(
      client,
      "ModelInfer",
      { modelName: "taxi-fare", inputs: typed([TRIP]) },
      {
        deadline: Number.POSITIVE_INFINITY,
        metadata,
      },
    );
    expect(ours.error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect((await infer({ inputs: typed([TRIP]) })).error).toBeNull();
  });

  it("an answer, however far away the deadline is", async () => {
    const metadata = new Metadata();
    metadata.set("grpc-timeout", "99999999H");
    const request = { modelName: "taxi-fare", inputs: typed([TRIP]) };
    const { error } = await call(client, "ModelInfer", request, {
      deadline: Number.POSITIVE_INFINITY,
      metadata,
    });
    expect(error).toBeNull();
  });

  it("UNIMPLEMENTED for what the protocol's extensions have and this server has not", async () => {
    const { path } = (InferenceClient.service as Record<string, { path: string }>).ServerLive!;
    const bytes = Buffer.alloc(0);
    for (const method of ["/inference.GRPCInferenceService/ModelStreamInfer", "/x.Y/Z", `${path}X`]) {
      const { promise, resolve } = Promise.withResolvers<number>();
      const identity = (message: Buffer) => message;
      client.makeUnaryRequest(method, identity, identity, bytes, (error) => resolve(error?.code ?? 0));
      expect(await promise, method).toBe(status.UNIMPLEMENTED);
    }
  });

  it("are counted by method and status, and never by a name that a client made up", async () => {
    const text = await (await fetch(`${running.url}/metrics`)).text();
    const infers = 'model_api_grpc_requests_total{method="/inference.GRPCInferenceService/ModelInfer"';
    for (const code of ["OK", "InvalidArgument", "NotFound", "DeadlineExceeded"])
      expect(text).toContain(`${infers},code="${code}"}`);
    expect(text).toContain('model_api_grpc_requests_total{method="unmatched",code="Unimplemented"} 3');
    expect(text).not.toContain("/x.Y/Z");
  });
});
