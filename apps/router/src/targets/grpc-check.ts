import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "@sluice/protos/health";
import { type CheckResult, failed, identified, reasonOf } from "./check-result.ts";
import type { Dialer } from "./dialer.ts";
import { askHttp2, type Http2Answer } from "./http2-question.ts";

const PATH = "/grpc.health.v1.Health/Check";
/** The answer is one small number; what is longer is something else. */
const LONGEST_ANSWER = 4096;
/** Of what a target says of an error, as many characters are shown. */
const LONGEST_MESSAGE = 200;
/** A message's prefix: whether it is compressed, and its length. */
const PREFIX = 5;

/** Names of the status codes 0 to 16, as gRPC's documents write them. */
const CODES =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

/**
 * Asks `grpc.health.v1.Health/Check`, inside TLS where the target is, else with prior knowledge of HTTP/2; only SERVING
 * passes.
 * @param service empty: the server as a whole
 */
export async function checkGrpc(
  dialer: Dialer,
  url: string,
  service: string,
  timeout: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const message = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  const headers = {
    "content-type": "application/grpc+proto",
    te: "trailers",
    "user-agent": "sluice-check",
    "grpc-timeout": `${Math.min(timeout, 99_999_999)}m`,
  };
  const body = Buffer.concat([prefix, message]);
  try {
    const question = { method: "POST", path: PATH, headers, body, limit: LONGEST_ANSWER } as const;
    return judge(await askHttp2(dialer, url, question, signal), service);
  } catch (error) {
    return failed(`gRPC: ${reasonOf(error as Error)}`);
  }
}

function judge({ status, headers, body, trailers }: Http2Answer, service: string): CheckResult {
  const bad = (detail: string) => identified(false, `gRPC: ${detail}`, headers);
  const type = headers["content-type"] ?? "nothing";
  if (status !== 200 || !/^application\/grpc($|[+;])/i.test(type)) {
    return bad(`the answer is ${status} with ${cut(type)}; expected 200 with application/grpc`);
  }
  const said = trailers["grpc-status"];
  if (said === undefined) return bad("the answer has no grpc-status");
  if (said !== "0") return bad(refusal(String(said), trailers["grpc-message"], service));
  const answer = messageOf(body);
  if (answer === undefined) return bad("the answer holds no HealthCheckResponse");
  const verdict = Object.entries(Status).find(([, value]) => value === answer.status)?.[0];
  if (answer.status === Status.SERVING) return identified(true, "SERVING", headers);
  return bad(verdict ?? `a serving status of ${answer.status}`);
}

function refusal(code: string, message: string | string[] | undefined, service: string): string {
  const name = CODES[Number(code)] ?? `status ${cut(code)}`;
  if (name === "UNIMPLEMENTED") return "UNIMPLEMENTED: the target has no health service (grpc.health.v1)";
  if (name === "NOT_FOUND") return `NOT_FOUND: the health service does not know ${JSON.stringify(service)}`;
  return message ? `${name}: ${cut(decoded(String(message)))}` : name;
}

/** The one message of an answer; undefined for anything else. */
function messageOf(body: Buffer): HealthCheckResponse | undefined {
  if (body.length < PREFIX || body[0] !== 0 || body.readUInt32BE(1) !== body.length - PREFIX)
    return undefined;
  try {
    return fromBinary(HealthCheckResponseSchema, body.subarray(PREFIX));
  } catch {
    return undefined;
  }
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

function cut(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`;
}
