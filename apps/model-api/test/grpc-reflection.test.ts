import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  type ClientDuplexStream,
  credentials,
  makeClientConstructor,
  status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { call, type Running, reflectionClients, startGrpc, typed } from "./support/grpc.ts";

let running: Running;

beforeAll(async () => {
  running = await startGrpc();
});

afterAll(() => running.stop());

const VERSIONS = Object.keys(reflectionClients) as (keyof typeof reflectionClients)[];

type Message = Record<string, unknown>;

/** Asks all questions in one stream, as grpcurl does. */
async function ask(version: keyof typeof reflectionClients, ...questions: Message[]) {
  const client = running.client(reflectionClients[version]);
  const methods = client as unknown as { ServerReflectionInfo(): ClientDuplexStream<Message, Message> };
  const stream = methods.ServerReflectionInfo();
  for (const question of questions) stream.write(question);
  stream.end();
  const answers: Message[] = [];
  for await (const answer of stream) answers.push(answer);
  return answers;
}

/** Descriptors keep the names that the proto file has. */
function snakeKeys(contents: object): object {
  return Object.fromEntries(
    Object.entries(contents).map(([key, value]) => [key.replace("Contents", "_contents"), value]),
  );
}

describe.each(VERSIONS)("server reflection %s", (version) => {
  it("lists the services", async () => {
    const [answer] = await ask(version, { host: "me", listServices: "*" });
    const { service } = answer!.listServicesResponse as unknown as { service: { name: string }[] };
    expect(service.map(({ name }) => name).sort()).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "inference.GRPCInferenceService",
    ]);
    expect(answer).toMatchObject({ validHost: "me", originalRequest: { host: "me", listServices: "*" } });
  });

  it("gives a client without protos all that a prediction needs", async () => {
    const [answer] = await ask(version, { fileContainingSymbol: "inference.GRPCInferenceService" });
    const { fileDescriptorProto } = answer!.fileDescriptorResponse as unknown as {
      fileDescriptorProto: Buffer[];
    };
    const file = fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const set = Buffer.from(toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file })));
    const definition = loadFileDescriptorSetFromBuffer(set, { longs: Number });
    const service = definition["inference.GRPCInferenceService"] as Parameters<
      typeof makeClientConstructor
    >[0];
    const Made = makeClientConstructor(service, "made");
    const client: Client = new Made(`127.0.0.1:${running.port}`, credentials.createInsecure());
    const inputs = typed([TRIP]).map(({ contents, ...tensor }) => ({
      ...tensor,
      contents: snakeKeys(contents),
    }));
    const { value, error } = await call(client, "ModelInfer", { model_name: "taxi-fare", inputs });
    client.close();
    expect(error).toBeNull();
    expect(value.outputs[0].contents.fp64_contents).toEqual([running.model.predict(TRIP).fare_amount]);
  });

  it("finds files by name, and by services, methods, messages, fields, enums and values in them", async () => {
    const symbols = [
      "inference.GRPCInferenceService.ModelInfer",
      "inference.ModelInferRequest",
      "inference.ModelInferRequest.InferInputTensor",
      "inference.ModelInferRequest.raw_input_contents",
      "inference.InferParameter.parameter_choice",
      "grpc.health.v1.HealthCheckResponse.ServingStatus",
      "grpc.health.v1.HealthCheckResponse.SERVING",
      `grpc.reflection.${version}.ServerReflection`,
    ];
    const answers = await ask(
      version,
      { fileByFilename: "open_inference_grpc.proto" },
      { fileByFilename: "grpc/health/v1/health.proto" },
      ...symbols.map((fileContainingSymbol) => ({ fileContainingSymbol })),
    );
    expect(answers.map(({ messageResponse }) => messageResponse)).toEqual(
      Array(symbols.length + 2).fill("fileDescriptorResponse"),
    );
  });

  it("says NOT_FOUND of what is not here, INVALID_ARGUMENT of nothing, and goes on", async () => {
    const answers = await ask(
      version,
      { fileContainingSymbol: "inference.Nothing" },
      { fileByFilename: "a.proto" },
      { fileContainingExtension: { containingType: "inference.ModelInferRequest", extensionNumber: 5 } },
      { allExtensionNumbersOfType: "inference.Nothing" },
      {},
      { allExtensionNumbersOfType: "inference.ModelInferRequest" },
    );
    const codes = answers.map(({ errorResponse }) => (errorResponse as Message | null)?.errorCode);
    expect(codes.slice(0, 5)).toEqual([...Array(4).fill(status.NOT_FOUND), status.INVALID_ARGUMENT]);
    expect(answers[5]).toMatchObject({
      allExtensionNumbersResponse: { baseTypeName: "inference.ModelInferRequest", extensionNumber: [] },
    });
  });
});
