import type { Config } from "../../src/config/config.ts";
import type { ColorView, Health, Snapshot } from "../../src/core/snapshot.ts";
import type { AccessLine } from "../../src/proxy/access-line.ts";
import { DataPlane } from "../../src/proxy/data-plane.ts";
import type { CreateEngine } from "../../src/proxy/engine.ts";
import { createHttpProxyEngine } from "../../src/proxy/engines/http-proxy/index.ts";
import type { TlsMaterial } from "../../src/tls/material.ts";
import { settled } from "./settled.ts";

/** The design's defaults, on loopback ports that the system chooses. */
export const TEST_CONFIG: Config = {
  listen: { host: "127.0.0.1", port: 0 },
  tls: undefined,
  upstream_tls: { verify: true },
  admin: { listen: { host: "127.0.0.1", port: 0 }, tls: undefined, tokens: [] },
  state: undefined,
  engine: "http-proxy",
  split: "random",
  failover: true,
  colors: { blue: { weight: 90, targets: [] }, green: { weight: 10, targets: [] } },
  affinity: { kind: "none" },
  override: undefined,
  trusted_proxies: [],
  allowed_targets: [],
  health: {
    path: "/health/ready",
    grpc: undefined,
    interval: 2000,
    timeout: 1000,
    rise: 2,
    fall: 3,
    jitter: 0.1,
    status: [[200, 299]],
  },
  passive: { errors: 5, window: 10_000, ejection: 10_000, max_ejected: 0.5 },
  retry: {
    attempts: 1,
    budget: 0.2,
    on: ["connect", "reset", "unavailable"],
    idempotent_paths: [],
    buffer: 64 * 1024,
    buffer_total: 64 * 1024 * 1024,
  },
  hedge: undefined,
  tracing: undefined,
  predictions: undefined,
  shadow: {
    rate: 100,
    concurrency: 8,
    queue: 100,
    memory: 16 * 1024 * 1024,
    timeout: 5000,
    answer: 256 * 1024,
    atol: 0.5,
    rtol: 0.02,
    slices: [],
    worst: 20,
    bodies: false,
  },
  feedback: undefined,
  gates: {
    usual: [],
    model: "/model",
    predict: "/api/predict/",
    request: undefined,
    schema: undefined,
    tolerance: 1e-9,
    requests: 50,
    p95: undefined,
    timeout: 60_000,
  },
  hooks: {},
  timeouts: {
    client_header: 10_000,
    client_body: 30_000,
    connect: 1000,
    response_header: 30_000,
    stream_idle: 60_000,
    keepalive: 75_000,
    drain: 30_000,
    tunnel_drain: undefined,
  },
  limits: { header: 16 * 1024, headers: 100, body: 10 * 1024 * 1024, connections: 10_000 },
  metrics: { listen: "admin" },
  workers: 1,
  log: { level: "silent", access: "all" },
};

/** A color as a test says it: its weight and its targets, up unless said otherwise. */
export interface ColorSpec {
  readonly weight: number;
  readonly targets: readonly (string | { readonly url: string; readonly health: Health })[];
}

export type Colors = Readonly<Record<string, ColorSpec>>;

let epochs = 0;

/** A snapshot with a new epoch. */
export function snapshotOf(colors: Colors, more: Partial<Snapshot> = {}): Snapshot {
  const total = Object.values(colors).reduce((sum, color) => sum + color.weight, 0);
  const views = Object.entries(colors).map(
    ([name, { weight, targets }]): ColorView => ({
      name,
      weight,
      share: total === 0 ? 0 : weight / total,
      targets: targets.map((target) => (typeof target === "string" ? { url: target, health: "up" } : target)),
    }),
  );
  epochs++;
  return {
    epoch: epochs,
    revision: 1,
    colors: views,
    standby: undefined,
    split: "random",
    salt: "",
    ...more,
  };
}

export interface PlaneOptions {
  readonly config?: Partial<Config>;
  readonly snapshot?: Partial<Snapshot>;
  readonly now?: () => number;
  readonly random?: () => number;
  /** Clients, or targets, are spoken to by TLS. `config.tls` is filled in. */
  readonly material?: TlsMaterial;
}

/** As in a configuration's file, without the certificates, which are in the material. */
export const TEST_TLS: NonNullable<Config["tls"]> = {
  certificates: [],
  min_version: "1.2",
  strict_sni: false,
  redirect: undefined,
  hsts: undefined,
  watch: 5000,
  acme: undefined,
};

export interface TestPlane {
  readonly plane: DataPlane;
  readonly lines: AccessLine[];
  /** Serves by another table from the next request on. */
  serve(colors: Colors, more?: Partial<Snapshot>): void;
}

/** A data plane that serves `colors`, without sockets and without a control plane. */
export function testPlane(colors: Colors, options: PlaneOptions = {}): TestPlane {
  const lines: AccessLine[] = [];
  const names = Object.fromEntries(Object.keys(colors).map((name) => [name, { weight: 1, targets: [] }]));
  const { now, random, material } = options;
  const tls = material?.server && TEST_TLS;
  const plane = new DataPlane({
    config: { ...TEST_CONFIG, tls, colors: names, ...options.config },
    accessLog: (line) => lines.push(line),
    ...(now ? { now } : {}),
    ...(random ? { random } : {}),
  });
  if (material) plane.equip(material);
  plane.serve(snapshotOf(colors, options.snapshot));
  return { plane, lines, serve: (next, more) => plane.serve(snapshotOf(next, more)) };
}

export interface TestRouter extends TestPlane {
  readonly port: number;
  readonly url: string;
  /** Cuts all connections; rejects if a lease, a place in flight or a buffered byte was not given back. */
  close(): Promise<void>;
}

/** The same behind an engine on a real socket. */
export async function testRouter(
  colors: Colors,
  options: PlaneOptions = {},
  createEngine: CreateEngine = createHttpProxyEngine,
): Promise<TestRouter> {
  const test = testPlane(colors, options);
  const engine = createEngine(test.plane);
  const { port } = await engine.listen({ host: "127.0.0.1", port: 0 });
  const close = async () => {
    await engine.drain(0);
    test.plane.observer.stop();
    await settled(test.plane);
  };
  return { ...test, port, url: `${test.plane.scheme}://127.0.0.1:${port}`, close };
}
