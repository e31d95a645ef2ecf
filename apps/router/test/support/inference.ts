import { join } from "node:path";
import {
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { rootPath } from "./child.ts";

const PROTO = join(rootPath("packages/protos/proto"), "open_inference_grpc.proto");

export interface InferenceAnswer {
  readonly code: number;
  readonly details: string;
  readonly color: string;
  readonly modelVersion: string;
  readonly values: readonly number[];
}

export interface InferenceCalls {
  /** Predicts one trip. */
  infer(): Promise<InferenceAnswer>;
  close(): void;
}

/** A client of the Open Inference Protocol, made from the public proto file alone, on one connection. */
export function inferenceClient(address: string): InferenceCalls {
  const definition = loadPackageDefinition(loadSync(PROTO, { longs: Number, defaults: true }));
  const { GRPCInferenceService } = definition.inference as unknown as Record<
    string,
    ServiceClientConstructor
  >;
  const client: Client = new GRPCInferenceService!(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  return { infer: () => infer(client), close: () => client.close() };
}

const TRIP: readonly [string, number][] = [
  ["pickup_latitude", 40.75],
  ["pickup_longitude", -73.99],
  ["dropoff_latitude", 40.76],
  ["dropoff_longitude", -73.97],
];
const REQUEST = {
  modelName: "taxi-fare",
  inputs: [
    ...TRIP.map(([name, value]) => ({
      name,
      datatype: "FP64",
      shape: [1],
      contents: { fp64Contents: [value] },
    })),
    { name: "passenger_count", datatype: "INT64", shape: [1], contents: { int64Contents: [1] } },
  ],
};

function infer(client: Client): Promise<InferenceAnswer> {
  return new Promise((resolve) => {
    let color = "";
    // biome-ignore lint/suspicious/noExplicitAny: proto-loader makes the methods at run time
    const call = (client as any).ModelInfer(
      REQUEST,
      { deadline: Date.now() + 30_000 },
      // biome-ignore lint/suspicious/noExplicitAny: and the messages
      (error: any, value: any) =>
        resolve({
          code: error?.code ?? 0,
          details: error?.details ?? "",
          color,
          modelVersion: value?.modelVersion ?? "",
          values: value?.outputs?.[0]?.contents?.fp64Contents ?? [],
        }),
    );
    // biome-ignore lint/suspicious/noExplicitAny: as above
    call.on("metadata", (metadata: any) => {
      color = String(metadata.get("x-sluice-color")[0] ?? "");
    });
  });
}
