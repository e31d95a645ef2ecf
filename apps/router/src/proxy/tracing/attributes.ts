import { GRPC, GRPC_NAMES, grpcOutcome, isGrpc } from "../../core/grpc.ts";
import { type Outcome, outcomeRow } from "../../core/outcome.ts";
import type { RequestFacts } from "../../core/request-facts.ts";
import type { SpanData } from "./span.ts";

type Attributes = SpanData["attributes"];

/** Those of RFC 9110 and RFC 5789; any other is `_OTHER`, or clients could make series without end. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);

/** As gRPC's specification writes them, which is not how this router's metrics do. */
function grpcName(code: number): string {
  const name = GRPC_NAMES[code] ?? String(code);
  return name === "Canceled" ? "CANCELLED" : name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** What both sides' spans say of a request. */
export interface RequestAttributes {
  /** A span's name: few different ones. */
  readonly name: string;
  readonly path: string;
  readonly attributes: Attributes;
}

/** The query is left out: it may hold personal data. */
export function requestAttributes(facts: RequestFacts): RequestAttributes {
  const { method } = facts;
  const known = METHODS.has(method);
  const path = facts.path.split("?", 1)[0]!;
  const attributes: Attributes = {
    "http.request.method": known ? method : "_OTHER",
    "http.request.method_original": known ? undefined : method,
  };
  if (!isGrpc(facts.header("content-type"))) return { name: known ? method : "HTTP", path, attributes };
  const call = path.slice(1);
  return {
    name: call,
    path,
    attributes: { ...attributes, "rpc.system.name": "grpc", "rpc.method": call },
  };
}

/** How a request or an attempt ended. */
export interface Ending {
  readonly outcome: Outcome | "refused";
  /** Of an HTTP answer; 0 where there was none. */
  readonly status: number;
  /** The `grpc-status` of an answer to a gRPC call. */
  readonly grpcStatus: number | undefined;
}

/** The attributes that say how it ended, and whether it is an error on that side. */
export function endingAttributes(
  ending: Ending,
  kind: SpanData["kind"],
): { attributes: Attributes; failed: boolean } {
  const { outcome, status, grpcStatus } = ending;
  const error = errorType(ending, kind);
  return {
    attributes: {
      "http.response.status_code": status === 0 ? undefined : status,
      "rpc.status_code": grpcStatus === undefined ? undefined : grpcName(grpcStatus),
      "error.type": error,
      "sluice.outcome": outcome,
    },
    failed: error !== undefined && (outcome === "refused" || outcomeRow(outcome).blame !== "client"),
  };
}

/** Undefined where it is no error. A client's fault is none of the server's, and a client's own (HTTP spans, "Status"). */
function errorType({ outcome, status, grpcStatus }: Ending, kind: SpanData["kind"]): string | undefined {
  const answered = /^(?:answered|grpc_|refused)/.test(outcome);
  if (!answered) return outcome;
  if (grpcStatus !== undefined && grpcStatus !== GRPC.ok) {
    return kind === "client" || grpcOutcome(grpcStatus) !== "answered" ? grpcName(grpcStatus) : undefined;
  }
  return status >= (kind === "server" ? 500 : 400) ? String(status) : undefined;
}

/** `server.address` and `server.port` as the client named them. */
export function hostAttributes(host: string | undefined): Attributes {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d+))?$/i.exec(host ?? "");
  if (match === null) return {};
  const port = match[2] === undefined ? undefined : Number(match[2]);
  return { "server.address": match[1]!.replace(/^\[|\]$/g, ""), "server.port": port };
}
