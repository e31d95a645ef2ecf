import { ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { GRPCInferenceService, ModelInferRequest } from "@sluice/protos";
import { describeModel, findModel, infer, isModelReady, SERVER } from "../inference/infer.ts";
import { Refused } from "../inference/refused.ts";
import type { Metrics } from "../metrics.ts";
import { countRefusal } from "../routes/inference.ts";
import type { Service } from "../service.ts";
import { rawContents, readInputs, typedContents } from "./contents.ts";

/** The Open Inference Protocol v2 over gRPC, for the model that REST serves. */
export function inferenceService(
  service: Service,
  metrics: Metrics,
): ServiceImpl<typeof GRPCInferenceService> {
  return {
    serverLive: () => ({ live: true }),
    serverReady: () => ({ ready: service.notReady() === undefined }),
    modelReady: (request) => answer(() => ({ ready: isModelReady(service, request) })),
    serverMetadata: () => SERVER,
    modelMetadata: (request) =>
      answer(() => {
        const { inputs, outputs, ...metadata } = describeModel(service, request);
        return { ...metadata, inputs: inputs.map(withShape), outputs: outputs.map(withShape) };
      }),
    modelInfer: (request, { signal }) => {
      // A client that is gone or gave up would not read the answer.
      signal.throwIfAborted();
      return answer(
        () => predict(service, metrics, request),
        (refused) => countRefusal(metrics, refused),
      );
    },
  };
}

function predict(service: Service, metrics: Metrics, request: ModelInferRequest) {
  const model = findModel(service, { name: request.modelName, version: request.modelVersion });
  const inputs = readInputs(request);
  const outputs = infer(model, metrics, { inputs, outputs: request.outputs.map(({ name }) => name) });
  const raw = request.rawInputContents.length > 0;
  const { name, version, digest } = model.artifact;
  return {
    modelName: name,
    modelVersion: version,
    id: request.id,
    parameters: { color: textParameter(service.color), digest: textParameter(digest) },
    outputs: outputs.map((output) => ({
      ...withShape(output),
      ...(raw ? {} : { contents: typedContents(output) }),
    })),
    rawOutputContents: raw ? outputs.map(rawContents) : [],
  };
}

function withShape({ name, datatype, shape }: { name: string; datatype: string; shape: number[] }) {
  return { name, datatype, shape: shape.map(BigInt) };
}

function textParameter(value: string) {
  return { parameterChoice: { case: "stringParam" as const, value } };
}

/** Gives a refusal its gRPC status. */
function answer<T>(make: () => T, onRefused?: (refused: Refused) => void): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    onRefused?.(error);
    throw new ConnectError(error.message, error.code);
  }
}
