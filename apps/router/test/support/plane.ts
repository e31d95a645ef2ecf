import type { Config } from "../../src/config/config.ts";
import type { ColorView, Health, Snapshot } from "../../src/core/snapshot.ts";
import type { AccessLine } from "../../src/proxy/access-line.ts";
import { DataPlane } from "../../src/proxy/data-plane.ts";
import type { CreateEngine } from "../../src/proxy/engine.ts";
import { createHttpProxyEngine } from "../../src/proxy/engines/http-proxy/index.ts";
import type { TlsMaterial } from "../../src/tls/material.ts";
import { DEFAULTS } from "./default-config.ts";
import { settled } from "./settled.ts";

/** A data plane's configuration: loopback ports that the system chooses, and a log that keeps every request. */
export const TEST_CONFIG: Config = {
  ...DEFAULTS,
  listen: { host: "127.0.0.1", port: 0 },
  admin: { ...DEFAULTS.admin, listen: { host: "127.0.0.1", port: 0 } },
  state: undefined,
  engine: "http-proxy",
  colors: { blue: { weight: 90, targets: [] }, green: { weight: 10, targets: [] } },
  feedback: undefined,
  gates: { ...DEFAULTS.gates, usual: [] },
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
