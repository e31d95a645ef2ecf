import { request } from "node:http";
import type { TracingConfig } from "../../src/config/config.ts";
import type { CreateEngine } from "../../src/proxy/engine.ts";
import { closing } from "./open.ts";
import { type Collector, collector, type ReceivedSpan } from "./otlp/collector.ts";
import { type Colors, type PlaneOptions, type TestRouter, testRouter } from "./plane.ts";
import { type Answer, type Upstream, upstream } from "./upstream.ts";

export const ID = "0af7651916cd43dd8448eb211c80319c";
export const CALLER = "b7ad6b7169203331";
export const PARENT = `00-${ID}-${CALLER}-01`;

export const opened = closing();

/** Tracing without a collector, unless said otherwise. */
export const tracing = (config: Partial<TracingConfig> = {}): TracingConfig => ({
  ...{ otlp: undefined, headers: {}, sample: 1, service_name: "sluice" },
  ...config,
});

/** Routers that trace, by one engine. */
export function traced(engine: CreateEngine) {
  async function router(colors: Colors, config: PlaneOptions["config"] = {}): Promise<TestRouter> {
    return opened(await testRouter(colors, { config: { ...config } }, engine));
  }

  async function target(answer?: Answer): Promise<Upstream> {
    return opened(await upstream(answer));
  }

  /** A router with one target, and what this target sees of a request with these fields. */
  async function seenWith(config: TracingConfig | undefined, fields: readonly [string, string][] = []) {
    const behind = await target();
    const front = await router({ blue: { weight: 1, targets: [behind.url] } }, { tracing: config });
    await get(front.url, fields.flat());
    return { ...behind.seen[0]!, front };
  }

  /** A router whose spans go to a collector. */
  const withCollector = async (
    colors: Colors,
    config: PlaneOptions["config"] = {},
    more: Partial<TracingConfig> = {},
  ) => {
    const receiver: Collector = opened(await collector());
    const front = await router(colors, {
      ...config,
      tracing: tracing({ otlp: `${receiver.url}/v1/traces`, ...more }),
    });
    /** What has come in the end. */
    const flushed = async () => {
      await front.plane.spans.close();
      return receiver.spans();
    };
    return { receiver, front, flushed };
  };

  return { target, router, seenWith, withCollector };
}

/** The first span of each kind. */
export function byKind(spans: readonly ReceivedSpan[]): [client: ReceivedSpan, server: ReceivedSpan] {
  const of = (kind: string) => spans.find((span) => span.kind === kind)!;
  return [of("CLIENT"), of("SERVER")];
}

/** A request with exactly these fields, until its answer is whole. */
export function get(url: string, fields: readonly string[], method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = ["Host", new URL(url).host, ...fields];
    const outgoing = request(url, { method, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on("error", reject);
      answer.on("end", () => resolve(answer.statusCode!));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
