import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Channel } from "../channel.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { ColorReport, Report } from "../core/report.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";
import type { Snapshot } from "../core/snapshot.ts";
import type { CheckResult } from "../targets/check-result.ts";
import type { Probe } from "../targets/probe.ts";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "./control-plane.ts";
import { type Disk, disk } from "./disk.ts";
import type { Log } from "./log.ts";

/** For tests of the control plane only. */

/** Lets everything that only waits for promises, timers of the machine apart, go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

const EPOCH = Date.parse("2026-11-21T12:00:00Z");

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = EPOCH;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  ticks(): number {
    return this.#now - EPOCH;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Moves time and fires what is due, in order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
    await settle();
  }
}

/** A data plane of workers that acknowledge at once, or when a test says so, and report what a test scripts. */
export class FakeChannel implements Channel {
  readonly published: Snapshot[] = [];
  acknowledges = true;
  readonly #listeners: ((report: Report) => void)[] = [];
  readonly #reports = new Map<number, Report>([[0, emptyReport(0)]]);

  publish(snapshot: Snapshot): void {
    this.published.push(snapshot);
    if (this.acknowledges) for (const worker of this.#reports.keys()) this.acknowledge(worker);
  }

  get last(): Snapshot {
    return this.published.at(-1)!;
  }

  acknowledge(worker = 0, epoch = this.last.epoch): void {
    this.#reports.set(worker, { ...this.#reports.get(worker)!, epoch });
  }

  onReport(listener: (report: Report) => void): void {
    this.#listeners.push(listener);
  }

  async collect(): Promise<readonly Report[]> {
    return [...this.#reports.values()];
  }

  /** Sets what a worker counts for some colors, without telling anybody. */
  count(colors: Readonly<Record<string, Partial<ColorReport>>>, worker = 0): void {
    const report = this.#reports.get(worker) ?? emptyReport(worker, this.published.at(-1)?.epoch);
    const counted = Object.entries(colors).map(([name, counts]) => [
      name,
      { ...(report.colors[name] ?? EMPTY_COLOR), ...counts },
    ]);
    this.#reports.set(worker, { ...report, colors: { ...report.colors, ...Object.fromEntries(counted) } });
  }

  /** A worker reports, as it does by itself. */
  report(worker = 0): void {
    for (const listener of this.#listeners) listener(this.#reports.get(worker)!);
  }

  /** Sets a worker's whole report, without telling anybody. */
  set(report: Report): void {
    this.#reports.set(report.worker, report);
  }

  remove(worker: number): void {
    this.#reports.delete(worker);
  }
}

function emptyReport(worker: number, epoch = 0): Report {
  return { worker, epoch, colors: {}, connections: 0 };
}

export const passed: CheckResult = { ok: true, detail: "200 OK", version: undefined, digest: undefined };
export const refused: CheckResult = { ...passed, ok: false, detail: "connection refused" };

/** Checks that end as a test says, by URL; all pass at first. */
export class FakeProbe {
  readonly results = new Map<string, CheckResult>();
  readonly calls: string[] = [];
  readonly probe: Probe = async (url) => {
    this.calls.push(url);
    return this.results.get(url) ?? passed;
  };

  down(...urls: string[]): void {
    for (const url of urls) this.results.set(url, refused);
  }
  up(...urls: string[]): void {
    for (const url of urls) this.results.delete(url);
  }
}

interface Line {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps what was logged. */
export class FakeLog implements Log {
  readonly lines: Line[] = [];
  readonly info = (fields: Line["fields"], message: string) =>
    void this.lines.push({ level: "info", message, fields });
  readonly warn = (fields: Line["fields"], message: string) =>
    void this.lines.push({ level: "warn", message, fields });
  readonly error = (fields: Line["fields"], message: string) =>
    void this.lines.push({ level: "error", message, fields });

  get text(): string {
    return this.lines.map(({ level, message }) => `${level}: ${message}`).join("\n");
  }
}

/** The machine's disk, on which the named steps fail, or hang, when a test says so. */
export class FaultyDisk implements Disk {
  readonly faults = new Map<keyof Disk, string>();
  /** Steps that wait until they are released. */
  hang: Promise<void> | undefined;

  async #step<T>(name: keyof Disk, run: () => Promise<T>): Promise<T> {
    const code = this.faults.get(name);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${name}`), { code });
    return await run();
  }

  makeFolder = (path: string) => this.#step("makeFolder", () => disk.makeFolder(path));
  list = (folder: string) => this.#step("list", () => disk.list(folder));
  read = (path: string) => this.#step("read", () => disk.read(path));
  write = (path: string, text: string) =>
    this.#step("write", async () => {
      await this.hang;
      await disk.write(path, text);
    });
  append = (path: string, text: string) =>
    this.#step("append", async () => {
      await this.hang;
      await disk.append(path, text);
    });
  duplicate = (from: string, to: string) => this.#step("duplicate", () => disk.duplicate(from, to));
  rename = (from: string, to: string) => this.#step("rename", () => disk.rename(from, to));
  remove = (path: string) => this.#step("remove", () => disk.remove(path));
  syncFolder = (folder: string) => this.#step("syncFolder", () => disk.syncFolder(folder));
}

export const BLUE = "http://127.0.0.1:8001";
export const GREEN = "http://127.0.0.1:8002";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone when the tests of the file have ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-control-"));
  folders.push(folder);
  return folder;
}

/** The part of a configuration that the control plane reads. */
export function testConfig(changes: Partial<Config> = {}): Config {
  const config: Pick<
    Config,
    | "admin"
    | "affinity"
    | "state"
    | "split"
    | "colors"
    | "allowed_targets"
    | "health"
    | "passive"
    | "retry"
    | "predictions"
    | "shadow"
    | "timeouts"
    | "metrics"
    | "hooks"
    | "gates"
  > = {
    admin: { listen: { host: "127.0.0.1", port: 9900 }, tokens: [] },
    state: undefined,
    affinity: { kind: "none" },
    split: "random",
    colors: { blue: { weight: 90, targets: [BLUE] }, green: { weight: 10, targets: [GREEN] } },
    allowed_targets: [],
    health: {
      path: "/health/ready",
      grpc: undefined,
      interval: 2000,
      timeout: 1000,
      rise: 2,
      fall: 3,
      jitter: 0,
      status: [[200, 299]],
    },
    passive: { errors: 5, window: 10_000, ejection: 10_000, max_ejected: 0.5 },
    retry: {
      attempts: 1,
      budget: 0.2,
      on: ["connect", "reset"],
      idempotent_paths: ["/api/predict/"],
      buffer: 65_536,
      buffer_total: 67_108_864,
    },
    predictions: undefined,
    shadow: {
      rate: 100,
      concurrency: 8,
      queue: 100,
      memory: 16_777_216,
      timeout: 5000,
      answer: 262_144,
      atol: 0.5,
      rtol: 0.02,
      slices: [],
      worst: 20,
      bodies: false,
    },
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
    metrics: { listen: "admin" },
  };
  return { ...config, ...changes } as Config;
}

/** A control plane in which nothing is real but, where a folder is given, the disk. */
export async function testPlane(changes: Partial<Config> = {}, more: Partial<ControlPlaneOptions> = {}) {
  const [clock, channel, log, probe, faulty] = [
    new FakeClock(),
    new FakeChannel(),
    new FakeLog(),
    new FakeProbe(),
    new FaultyDisk(),
  ];
  const plane = await createControlPlane({
    config: testConfig(changes),
    channel,
    log,
    clock,
    version: "0.1.0",
    random: () => 0.5,
    disk: faulty,
    probe: probe.probe,
    resolve: async () => ["10.0.0.5"],
    ...more,
  });
  await plane.start();
  await clock.advance(500); // two passed checks make a target healthy
  return { plane, clock, channel, log, probe, disk: faulty, call: caller(plane) };
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there
  readonly body: any;
  readonly headers: Headers;
}

type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** Calls the admin API without a socket; a string is sent as it is, anything else as JSON. */
function caller(plane: ControlPlane): Caller {
  return async (method, path, body, headers = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init =
      body === undefined ? {} : { body: text, headers: { "Content-Type": "application/json", ...headers } };
    const response = await plane.adminApp.request(path, { method, headers, ...init });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: jsonOr(answer) };
  };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
