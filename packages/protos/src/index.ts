/** The messages and services of the gRPC interfaces that Sluice speaks, generated from `../proto`. */
export * from "./gen/grpc/health/v1/health_pb.ts";
export * as reflection from "./gen/grpc/reflection/v1/reflection_pb.ts";
export * as reflectionAlpha from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
export * from "./gen/open_inference_grpc_pb.ts";
