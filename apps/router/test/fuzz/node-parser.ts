import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { Duplex } from "node:stream";
import type { Field } from "../../src/core/forwarding.ts";

/** A message as Node's own strict parser read it. */
export interface Parsed {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly httpVersion: string;
  readonly fields: readonly Field[];
  readonly body: string;
  readonly trailers: readonly Field[];
}

export interface Reading {
  /** The message, if it is whole. */
  readonly message: Parsed | undefined;
  /** It was already whole before its last byte. */
  readonly early: boolean;
  /** Interim answers, without 100. */
  readonly interim: readonly Pick<Parsed, "status" | "reason" | "fields">[];
  readonly error: string | undefined;
  /** Messages that began. */
  readonly count: number;
}

/** Wider than the router's, so that none of Node's own bounds decides. */
const MOST_HEADER = 1 << 20;

const ended = new WeakSet<object>();

/** The end of a network: bytes are emitted as if they came, and those that are written vanish. */
class Line extends Duplex {
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

interface Seen {
  messages: IncomingMessage[];
  error: string | undefined;
}

let seen: Seen = { messages: [], error: undefined };
const server: Server = createServer(
  { maxHeaderSize: MOST_HEADER, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
  (message) => seen.messages.push(message),
);
server.maxHeadersCount = 0;
server.on("clientError", (error: NodeJS.ErrnoException) => {
  seen.error ??= error.code ?? error.message;
});
/** Reads one request by Node's server: all bytes but the last, and then the last. */
export function nodeReadsRequest(bytes: Buffer): Reading {
  const own: Seen = { messages: [], error: undefined };
  seen = own;
  const line = new Line();
  server.emit("connection", line);
  line.emit("data", bytes.subarray(0, -1));
  const early = own.messages.some(isWhole);
  line.emit("data", bytes.subarray(-1));
  const message = own.messages[0];
  const reading = {
    message: message && isWhole(message) ? parsed(message) : undefined,
    early,
    interim: [],
    error: own.error,
    count: own.messages.length,
  };
  line.destroy();
  return reading;
}

/**
 * Reads one answer by Node's client: all bytes but the last, then the last, and then the connection's end if `ends`.
 */
export async function nodeReadsAnswer(
  bytes: Buffer,
  { method, ends, upgrade }: { method: string; ends: boolean; upgrade: boolean },
): Promise<Reading> {
  const line = new Line();
  const own: Seen = { messages: [], error: undefined };
  const interim: Pick<Parsed, "status" | "reason" | "fields">[] = [];
  const headers = upgrade ? { Connection: "Upgrade", Upgrade: "websocket" } : {};
  const asked = request({ method, headers, createConnection: () => line, maxHeaderSize: MOST_HEADER });
  asked.maxHeadersCount = 0;
  asked.on("response", (message) => own.messages.push(message));
  asked.on("upgrade", (message) => {
    ended.add(message);
    own.messages.push(message);
  });
  asked.on("information", ({ statusCode: status, statusMessage: reason, rawHeaders }) => {
    if (status !== 100) interim.push({ status, reason, fields: pairs(rawHeaders) });
  });
  asked.on("error", (error: NodeJS.ErrnoException) => {
    own.error ??= error.code ?? error.message;
  });
  asked.end();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  line.emit("data", bytes.subarray(0, -1));
  const early = own.messages.some(isWhole);
  if (own.error === undefined) line.emit("data", bytes.subarray(-1));
  if (ends && own.error === undefined) line.emit("end");
  const message = own.messages[0];
  const whole = message && isWhole(message) ? parsed(message) : undefined;
  const reading = { message: whole, early, interim, error: own.error, count: own.messages.length };
  line.destroy();
  return reading;
}

/** The one whole message that Node found, which ended with its last byte. @throws Error where it found anything else */
export function only({ message, error, early, count }: Reading, what: string): Parsed {
  if (message !== undefined && error === undefined && !early && count === 1) return message;
  const { body } = message ?? {};
  throw new Error(
    `Node does not take ${what} for one message: ${JSON.stringify({ error, early, count, body })}`,
  );
}

function isWhole(message: IncomingMessage): boolean {
  return message.complete || ended.has(message);
}

function parsed(message: IncomingMessage): Parsed {
  const body: Buffer | null = message.read();
  return {
    method: message.method ?? "",
    target: message.url ?? "",
    status: message.statusCode ?? 0,
    reason: message.statusMessage ?? "",
    httpVersion: message.httpVersion,
    fields: pairs(message.rawHeaders),
    body: body?.toString("latin1") ?? "",
    trailers: pairs(message.rawTrailers),
  };
}

function pairs(raw: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (let i = 0; i < raw.length; i += 2) fields.push([raw[i]!, raw[i + 1]!]);
  return fields;
}
