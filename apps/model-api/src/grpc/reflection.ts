import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { GRPCInferenceService, Health, reflection, reflectionAlpha } from "@sluice/protos";

const { ServerReflection } = reflection;
const { ServerReflection: ServerReflectionAlpha } = reflectionAlpha;

const SERVICES = [GRPCInferenceService, Health, ServerReflection, ServerReflectionAlpha];

type Info = ServiceImpl<typeof ServerReflection>["serverReflectionInfo"];
type AlphaInfo = ServiceImpl<typeof ServerReflectionAlpha>["serverReflectionInfo"];
type Question = reflection.ServerReflectionRequest["messageRequest"];

/** Server reflection, v1 and v1alpha, which differ in their names only. */
export function addReflection(router: ConnectRouter): void {
  const index = indexFiles(SERVICES.map(({ file }) => file));
  const serverReflectionInfo: Info = async function* (requests) {
    for await (const request of requests)
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: respond(index, request.messageRequest),
      };
  };
  router.service(ServerReflection, { serverReflectionInfo });
  router.service(ServerReflectionAlpha, {
    serverReflectionInfo: serverReflectionInfo as unknown as AlphaInfo,
  });
}

interface Index {
  /** By name as `import` writes it, with `.proto`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The file that declares a service, method, message, field, enum or value, by its full name. */
  readonly symbols: ReadonlyMap<string, Uint8Array>;
}

/** The files import nothing, so each alone is all that a client needs. */
function indexFiles(files: readonly DescFile[]): Index {
  const index = { files: new Map<string, Uint8Array>(), symbols: new Map<string, Uint8Array>() };
  for (const file of files) {
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    index.files.set(file.proto.name, bytes);
    for (const symbol of symbolsOf(file)) index.symbols.set(symbol, bytes);
  }
  return index;
}

function* symbolsOf(file: DescFile): Iterable<string> {
  for (const type of nestedTypes(file)) {
    yield type.typeName;
    if (type.kind === "service") for (const { name } of type.methods) yield `${type.typeName}.${name}`;
    if (type.kind === "message")
      for (const { name } of [...type.fields, ...type.oneofs]) yield `${type.typeName}.${name}`;
    // An enum's values are named as its siblings are.
    if (type.kind === "enum") for (const { name } of type.values) yield type.typeName.replace(/[^.]*$/, name);
  }
}

function respond({ files, symbols }: Index, request: Question) {
  switch (request.case) {
    case "listServices": {
      const service = SERVICES.map(({ typeName }) => ({ name: typeName }));
      return { case: "listServicesResponse" as const, value: { service } };
    }
    case "fileByFilename":
      return fileResponse(files.get(request.value), `File ${shown(request.value)}`);
    case "fileContainingSymbol":
      return fileResponse(symbols.get(request.value), `Symbol ${shown(request.value)}`);
    case "allExtensionNumbersOfType":
      if (!symbols.has(request.value)) return notFound(`Type ${shown(request.value)}`);
      return { case: "allExtensionNumbersResponse" as const, value: { baseTypeName: request.value } };
    case "fileContainingExtension":
      return notFound("An extension");
    default:
      return errorResponse(Code.InvalidArgument, "The request asks nothing.");
  }
}

function fileResponse(bytes: Uint8Array | undefined, what: string) {
  if (!bytes) return notFound(what);
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto: [bytes] } };
}

function notFound(what: string) {
  return errorResponse(Code.NotFound, `${what} is not here.`);
}

function errorResponse(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
