import { join } from "node:path";
import {
  type ChannelOptions,
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { loadModel, type Model, mockArtifact } from "@sluice/model";
import { pino } from "pino";
import { createModelServer, type ModelServer } from "../../src/serve.ts";
import { listen } from "../../src/server.ts";
import { createService, type Service } from "../../src/service.ts";
import { TRIP } from "./api.ts";

const PROTOS = join(import.meta.dirname, "../../../../packages/protos/proto");

/** Made from the public proto files and nothing of the server's. */
function serviceClient(file: string, name: string): ServiceClientConstructor {
  const definition = loadSync(file, {
    includeDirs: [PROTOS],
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const found = name
    .split(".")
    .reduce(
      (at, part) => (at as Record<string, unknown>)[part],
      loadPackageDefinition(definition) as unknown,
    );
  return found as ServiceClientConstructor;
}

export const InferenceClient = serviceClient("open_inference_grpc.proto", "inference.GRPCInferenceService");
export const HealthClient = serviceClient("grpc/health/v1/health.proto", "grpc.health.v1.Health");
export const reflectionClients = {
  v1: serviceClient("grpc/reflection/v1/reflection.proto", "grpc.reflection.v1.ServerReflection"),
  v1alpha: serviceClient(
    "grpc/reflection/v1alpha/reflection.proto",
    "grpc.reflection.v1alpha.ServerReflection",
  ),
};

export interface Running {
  readonly service: Service;
  readonly model: Model;
  readonly server: ModelServer;
  readonly port: number;
  readonly url: string;
  client(make: ServiceClientConstructor, options?: ChannelOptions): Client;
  stop(): void;
}

/** A server with the mock model, color blue, on a port of its own; `model: false` leaves the model out. */
export async function startGrpc({
  model: withModel = true,
  bodyLimit = 4 * 2 ** 20,
  log = pino({ level: "silent" }),
} = {}): Promise<Running> {
  const model = loadModel(JSON.stringify(mockArtifact("1.2.3")));
  const service = createService({ color: "blue", ...(withModel ? { model } : {}) });
  const server = createModelServer({ service, bodyLimit, log });
  const { port } = await listen(server.server, 0, "127.0.0.1");
  const clients: Client[] = [];
  return {
    service,
    model,
    server,
    port,
    url: `http://127.0.0.1:${port}`,
    client(Make, options = {}) {
      const client = new Make(`127.0.0.1:${port}`, credentials.createInsecure(), options);
      clients.push(client);
      return client;
    },
    stop() {
      for (const client of clients) client.close();
      server.server.closeAllConnections();
      server.server.close();
    },
  };
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: proto-loader makes the messages at run time
  readonly value: any;
  readonly error: ServiceError | null;
  readonly metadata: Metadata;
}

/** A unary call, with what came back whichever way it ended. */
export function call(
  client: Client,
  method: string,
  request: object = {},
  { deadline = Date.now() + 20_000, metadata = new Metadata() } = {},
): Promise<Answer> {
  type Method = (
    request: object,
    metadata: Metadata,
    options: object,
    callback: (error: ServiceError | null, value: unknown) => void,
  ) => { on(event: "metadata", listener: (metadata: Metadata) => void): void };
  const methods = client as unknown as Record<string, Method>;
  return new Promise((resolve) => {
    let head = new Metadata();
    const running = methods[method]!(request, metadata, { deadline }, (error, value) => {
      if (error) head.merge(error.metadata);
      resolve({ value, error, metadata: head });
    });
    running.on("metadata", (metadata) => {
      head = metadata;
    });
  });
}

type Row = Readonly<Record<string, unknown>>;

const CONTENTS: Readonly<Record<string, string>> = {
  FP64: "fp64Contents",
  FP32: "fp32Contents",
  INT64: "int64Contents",
  INT32: "intContents",
  UINT8: "uintContents",
  BYTES: "bytesContents",
  BOOL: "boolContents",
};

/** One typed tensor of a call. */
export function tensor(name: string, datatype: string, data: readonly unknown[], shape = [data.length]) {
  const elements = datatype === "BYTES" ? data.map((text) => Buffer.from(String(text))) : data;
  return { name, datatype, shape, contents: { [CONTENTS[datatype]!]: elements } };
}

const DATATYPES: readonly [string, string][] = Object.keys(TRIP).map((name) => [
  name,
  { passenger_count: "INT64", pickup_datetime: "BYTES" }[name] ?? "FP64",
]);

/** A column for each field, for REST: `data`. */
export function columns(rows: readonly Row[]) {
  return DATATYPES.filter(([name]) => rows[0] && name in rows[0]).map(([name, datatype]) => ({
    name,
    datatype,
    shape: [rows.length],
    data: rows.map((row) => row[name]),
  }));
}

/** The same with typed contents. */
export function typed(rows: readonly Row[]) {
  return columns(rows).map(({ name, datatype, data }) => tensor(name, datatype, data));
}

/** The same as raw contents. */
export function raw(rows: readonly Row[]) {
  const tensors = columns(rows);
  return {
    inputs: tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    rawInputContents: tensors.map(({ datatype, data }) =>
      Buffer.concat(data.map((value) => rawElement(datatype, value))),
    ),
  };
}

function rawElement(datatype: string, value: unknown): Buffer {
  const bytes = datatype === "BYTES" ? Buffer.from(String(value)) : Buffer.alloc(8);
  if (datatype === "FP64") bytes.writeDoubleLE(Number(value));
  if (datatype === "INT64") bytes.writeBigInt64LE(BigInt(Number(value)));
  if (datatype !== "BYTES") return bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
