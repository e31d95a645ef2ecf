import { join } from "node:path";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { vi } from "vitest";
import { type Answer, type Upstream, upstream } from "../upstream.ts";

/** A span as a collector reads it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where the trace begins here. */
  readonly parentId: string;
  readonly state: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: "SERVER" | "CLIENT";
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed: boolean;
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly value: string } & Readonly<Record<string, string | number | boolean>>;
}

interface Message {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

interface RawSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: "SERVER" | "CLIENT";
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: string } | null;
}

const { Export } = loadSync(join(import.meta.dirname, "trace.proto"), {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
})["opentelemetry.proto.collector.trace.v1.TraceService"] as ServiceDefinition;

/** The spans of one export, from the bytes on the wire. */
export function decodeSpans(body: Buffer): ReceivedSpan[] {
  const { resourceSpans } = Export!.requestDeserialize(body) as Message;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => toReceived(span, resource.attributes))),
  );
}

function toReceived(span: RawSpan, resource: readonly KeyValue[]): ReceivedSpan {
  const { name, kind, flags, traceState: state } = span;
  return {
    ...{ name, kind, state },
    flags: flags & 0xff,
    traceId: span.traceId.toString("hex"),
    spanId: span.spanId.toString("hex"),
    parentId: span.parentSpanId.toString("hex"),
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    attributes: record(span.attributes),
    failed: span.status?.code === "ERROR",
    resource: record(resource),
  };
}

function record(pairs: readonly KeyValue[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const found = value[value.value]!;
      return [key, value.value === "intValue" ? Number(found) : found];
    }),
  );
}

export interface Collector extends Upstream {
  /** What has come, in its order. */
  spans(): ReceivedSpan[];
  /** The same once there are as many. */
  until(count: number): Promise<ReceivedSpan[]>;
}

/** A real OTLP collector on loopback; `answer` says what it does with an export, beside noting it. */
export async function collector(answer: Answer = (_request, out) => out.end()): Promise<Collector> {
  const server = await upstream(answer);
  const spans = () => server.seen.flatMap(({ body }) => decodeSpans(body));
  return {
    ...server,
    spans,
    until: (count) =>
      vi.waitFor(
        () => {
          const found = spans();
          if (found.length < count) throw new Error(`${found.length} of ${count} spans have come.`);
          return found;
        },
        { timeout: 20_000, interval: 20 },
      ),
  };
}
