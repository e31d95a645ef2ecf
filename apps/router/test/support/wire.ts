import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { createWireEngine } from "../../src/proxy/engines/wire/index.ts";
import { eventually } from "./open.ts";
import { type Colors, TEST_CONFIG, type TestRouter, testRouter } from "./plane.ts";
import { type RawUpstream, rawUpstream } from "./upstream.ts";

/** Parts of the configuration; what is not said is as in {@link TEST_CONFIG}. */
export interface WireConfig {
  readonly timeouts?: Partial<Config["timeouts"]>;
  readonly limits?: Partial<Config["limits"]>;
  readonly retry?: Partial<Config["retry"]>;
}

/** A router with the engine `wire`: before one target, or before several colors, of which green is the standby. */
export function wireRouter(targets: string | Colors, config: WireConfig = {}): Promise<TestRouter> {
  const colors = typeof targets === "string" ? { blue: { weight: 1, targets: [targets] } } : targets;
  const merged = {
    timeouts: { ...TEST_CONFIG.timeouts, ...config.timeouts },
    limits: { ...TEST_CONFIG.limits, ...config.limits },
    retry: { ...TEST_CONFIG.retry, ...config.retry },
  };
  const snapshot = "green" in colors ? { standby: "green" } : {};
  return testRouter(colors, { config: merged, snapshot }, createWireEngine);
}

/** Errors that were counted against the targets of the first color. */
export function blamed({ plane }: Pick<TestRouter, "plane">): number {
  return plane.colors[0]!.targets.reduce((sum, target) => sum + target.errors, 0);
}

export interface HearingUpstream extends RawUpstream {
  /** What came on each connection, in latin1, in the order in which they were made. */
  readonly received: string[];
}

/** An upstream in bytes that is told with every chunk all that has come on that connection. */
export async function hearing(
  heard: (socket: Socket, all: string, connection: number) => void = () => {},
): Promise<HearingUpstream> {
  const received: string[] = [];
  const raw = await rawUpstream((socket) => {
    const i = received.push("") - 1;
    socket.on("data", (chunk) => {
      received[i] += chunk.toString("latin1");
      heard(socket, received[i]!, i);
    });
  });
  return { ...raw, received };
}

export const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
export const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
export const UPGRADE =
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
export const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** How many requests without a body have come. */
export const requestsIn = (all: string): number => all.split("\r\n\r\n").length - 1;

const TROUBLES = ["warning", "unhandledRejection", "uncaughtException"] as const;

/** Each test of the file fails on a warning, an unhandled rejection or an exception. Call it before `closing()`. */
export function untroubled(): void {
  const seen: unknown[] = [];
  const note = (trouble: unknown) => seen.push(trouble);
  beforeEach(() => {
    for (const event of TROUBLES) process.on(event as "warning", note);
  });
  afterEach(() => {
    for (const event of TROUBLES) process.off(event, note);
    expect(seen.splice(0)).toEqual([]);
  });
}

/** A client for many bytes: it keeps what it reads in pieces. */
export class BulkClient {
  readonly socket: Socket;
  readonly #pieces: string[] = [];
  #tail = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const piece = chunk.toString("latin1");
      this.#pieces.push(piece);
      this.#tail = (this.#tail + piece).slice(-1024);
    });
  }

  static async connect(port: number): Promise<BulkClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    const client = new BulkClient(socket);
    await once(socket, "connect");
    return client;
  }

  get text(): string {
    return this.#pieces.join("");
  }

  get bytes(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Resolves once the last of what was received ends so. */
  async until(end: string): Promise<string> {
    await eventually(() => this.#tail.endsWith(end));
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Resolves once `count` has stopped to change. Requests to a router of its own are the clock: many of them change
 * nothing any more.
 */
export async function standstill(count: () => number, probe: string): Promise<number> {
  let before = Number.NaN;
  while (count() !== before) {
    before = count();
    for (let i = 0; i < 30; i++) await (await fetch(probe)).text();
  }
  return before;
}

/** Resolves once a client that closes its half no longer seems to do so together with its request. */
export async function muchLater({ plane }: Pick<TestRouter, "plane">): Promise<void> {
  const began = plane.now();
  await eventually(() => plane.now() - began > 20);
}
