import { join } from "node:path";
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import { describe, expect, it } from "vitest";

/**
 * The names, numbers and types of the public file, which every client of the protocol has compiled in: here once more by
 * hand, so that no change to ours goes by unseen.
 */
const MESSAGES = `
ServerLiveRequest
ServerLiveResponse: live=1 bool
ServerReadyRequest
ServerReadyResponse: ready=1 bool
ModelReadyRequest: name=1 string, version=2 string
ModelReadyResponse: ready=1 bool
ServerMetadataRequest
ServerMetadataResponse: name=1 string, version=2 string, extensions=3 string*
ModelMetadataRequest: name=1 string, version=2 string
ModelMetadataResponse: name=1 string, versions=2 string*, platform=3 string, inputs=4 TensorMetadata*, outputs=5 TensorMetadata*
ModelMetadataResponse.TensorMetadata: name=1 string, datatype=2 string, shape=3 int64*
ModelInferRequest: model_name=1 string, model_version=2 string, id=3 string, parameters=4 Parameters*, inputs=5 InferInputTensor*, outputs=6 InferRequestedOutputTensor*, raw_input_contents=7 bytes*
ModelInferRequest.InferInputTensor: name=1 string, datatype=2 string, shape=3 int64*, parameters=4 Parameters*, contents=5 InferTensorContents
ModelInferRequest.InferRequestedOutputTensor: name=1 string, parameters=2 Parameters*
ModelInferResponse: model_name=1 string, model_version=2 string, id=3 string, parameters=4 Parameters*, outputs=5 InferOutputTensor*, raw_output_contents=6 bytes*
ModelInferResponse.InferOutputTensor: name=1 string, datatype=2 string, shape=3 int64*, parameters=4 Parameters*, contents=5 InferTensorContents
InferParameter: bool_param=1 bool, int64_param=2 int64, string_param=3 string, double_param=4 double, uint64_param=5 uint64
InferTensorContents: bool_contents=1 bool*, int_contents=2 int32*, int64_contents=3 int64*, uint_contents=4 uint32*, uint64_contents=5 uint64*, fp32_contents=6 float*, fp64_contents=7 double*, bytes_contents=8 bytes*`;

const METHODS = ["ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"];

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: string;
  readonly typeName: string;
}

const proto = loadSync(join(import.meta.dirname, "../proto/open_inference_grpc.proto"), { keepCase: true });

interface Descriptor {
  readonly name: string;
  readonly field: readonly Field[];
  readonly nestedType: readonly Descriptor[];
}

function descriptorOf(name: string): Descriptor | undefined {
  const [outer, inner] = name.split(".");
  const { type } = proto[`inference.${outer}`] as MessageTypeDefinition<object, object>;
  const descriptor = type as unknown as Descriptor;
  return inner ? descriptor.nestedType.find((nested) => nested.name === inner) : descriptor;
}

function describeMessage(name: string): string {
  const fields = descriptorOf(name)!.field.map(({ name, number, type, label, typeName }) => {
    const kind = typeName || type.replace("TYPE_", "").toLowerCase();
    return `${name}=${number} ${kind.split(".").at(-1)}${label === "LABEL_REPEATED" ? "*" : ""}`;
  });
  return fields.length > 0 ? `${name}: ${fields.join(", ")}` : name;
}

describe("open_inference_grpc.proto", () => {
  it.each(MESSAGES.trim().split("\n"))("has the public file's %s", (line) => {
    expect(describeMessage(line.split(":")[0]!)).toBe(line);
  });

  it("has the public file's service, each call with one message either way", () => {
    const service = proto["inference.GRPCInferenceService"] as ServiceDefinition;
    expect(Object.keys(service)).toEqual(METHODS);
    for (const [name, { path, requestStream, responseStream }] of Object.entries(service))
      expect([path, requestStream, responseStream]).toEqual([
        `/inference.GRPCInferenceService/${name}`,
        false,
        false,
      ]);
  });
});
