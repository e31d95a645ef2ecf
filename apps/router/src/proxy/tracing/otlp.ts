import http from "node:http";
import https from "node:https";
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { TracingConfig } from "../../config/config.ts";
import { VERSION } from "../../version.ts";
import type { SpanData } from "./span.ts";
import type { Exporter } from "./span-export.ts";

const SCOPE = { name: "sluice", version: VERSION };
const NOTHING: readonly never[] = [];

/** OpenTelemetry's own exporter: protobuf over HTTP, with its retries and its time-outs (`OTEL_EXPORTER_OTLP_TIMEOUT`). */
export function createOtlpExporter(config: TracingConfig & { otlp: string }): Exporter {
  const { Agent } = config.otlp.startsWith("https:") ? https : http;
  const agent = new Agent({ keepAlive: true });
  const { otlp: url, headers } = config;
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, httpAgentOptions: () => agent });
  const resource = resourceFromAttributes({
    "service.name": config.service_name,
    "service.version": VERSION,
    "process.pid": process.pid,
  });
  return {
    export: (spans) =>
      new Promise((resolve) => {
        const readable = spans.map((span) => toReadable(span, resource));
        exporter.export(readable, ({ code }) => resolve(code === 0));
      }),
    close: () => agent.destroy(),
  };
}

function toReadable(span: SpanData, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentId, flags, state } = span;
  const context = { traceId, traceFlags: flags & TraceFlags.SAMPLED };
  const traceState = state === undefined ? undefined : { serialize: () => state };
  return {
    name: span.name,
    kind: span.kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => ({ ...context, spanId, traceState }) as ReturnType<ReadableSpan["spanContext"]>,
    ...(parentId === undefined
      ? {}
      : { parentSpanContext: { ...context, spanId: parentId, isRemote: span.kind === "server" } }),
    startTime: hrTime(span.start),
    endTime: hrTime(span.end),
    duration: hrTime(span.end - span.start),
    status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: defined(span.attributes),
    links: NOTHING as never[],
    events: NOTHING as never[],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function hrTime(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.floor((milliseconds - seconds * 1000) * 1e6)];
}

function defined(attributes: SpanData["attributes"]): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | number | boolean
  >;
}
