/** What of gRPC a proxy has to understand: who speaks it, statuses and deadlines (gRPC over HTTP/2). */

import type { Outcome } from "./outcome.ts";

/** By status number (google.rpc.Code); these names are also the label `code` of the metric. */
export const GRPC_NAMES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;

export const GRPC = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Statuses that google.rpc.Code gives as 5xx: the server's own fault. `Unavailable` has an ending of its own. */
const SERVER_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 15]);

/** Whether a request with this `Content-Type` is a gRPC call; gRPC-Web, which is another protocol, is none. */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;\s])/i.test(contentType);
}

/** The number in `grpc-status`. One that is missing, or is none, is UNKNOWN to every client. */
export function grpcStatus(value: string | undefined): number {
  if (value === undefined || !/^\d{1,2}$/.test(value)) return GRPC.unknown;
  const code = Number(value);
  return code < GRPC_NAMES.length ? code : GRPC.unknown;
}

/** Which ending a call with this status is. */
export function grpcOutcome(code: number): Outcome {
  if (code === GRPC.unavailable) return "grpc_unavailable";
  return SERVER_FAULTS.has(code) ? "grpc_error" : "answered";
}

/** Statuses that google.rpc.Code gives as 400, 404 or 409: INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE. */
const REJECTIONS: ReadonlySet<number> = new Set([3, 5, 6, 9, 10, 11]);

/** Whether a call with this status was turned away for what it asked, as 422 does over HTTP. */
export function isGrpcRejection(code: number): boolean {
  return REJECTIONS.has(code);
}

/** The status of an answer of HTTP to a gRPC call, as every client reads it (http-grpc-status-mapping). */
const BY_HTTP: Readonly<Record<number, number>> = {
  400: GRPC.internal,
  401: GRPC.unauthenticated,
  403: GRPC.permissionDenied,
  404: GRPC.unimplemented,
  429: GRPC.unavailable,
  502: GRPC.unavailable,
  503: GRPC.unavailable,
  504: GRPC.unavailable,
};

export function grpcOfHttp(status: number): number {
  return BY_HTTP[status] ?? GRPC.unknown;
}

/** The status by which a gRPC client is told of a refusal that others are told by a status of HTTP. */
const REFUSED: Readonly<Record<number, number>> = {
  400: GRPC.invalidArgument,
  405: GRPC.unimplemented,
  408: GRPC.deadlineExceeded,
  413: GRPC.resourceExhausted,
  417: GRPC.invalidArgument,
  429: GRPC.resourceExhausted,
  431: GRPC.resourceExhausted,
  501: GRPC.unimplemented,
  502: GRPC.unavailable,
  503: GRPC.unavailable,
  504: GRPC.deadlineExceeded,
};

export function grpcOfRefusal(status: number): number {
  return REFUSED[status] ?? GRPC.unknown;
}

/** `grpc-message`: printable ASCII stays, all else and `%` are percent-encoded as UTF-8. */
export function grpcMessage(text: string): string {
  return text.replace(/[^\x20-\x7e]|%/gu, encodeURIComponent);
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds of a `grpc-timeout`; undefined for what is none. */
export function grpcTimeout(value: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value ?? "") ?? [];
  return digits && unit ? Number(digits) * UNITS[unit]! : undefined;
}
