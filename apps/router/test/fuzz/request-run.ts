import { type FakeSocket, feed } from "./fake-socket.ts";
import { takeOff } from "./framed.ts";
import type { Upstream, Wire } from "./wire.ts";

/** One request as the upstream got it. */
export interface Forwarded {
  /** All bytes, as they were sent. */
  readonly bytes: string;
  readonly head: string;
  /** Without its framing; behind a switch of protocols whatever else the client sent. */
  readonly body: string;
  readonly trailer: string;
}

export interface RequestRun {
  /** The requests that were sent on whole, in order. */
  readonly forwarded: readonly Forwarded[];
  /** What became of the client's connection: it waits for more, was refused, or was closed after an answer. */
  readonly end: "waits" | "refused" | "closed";
  /** How many bytes the client had sent when its first request had been sent on. */
  readonly firstAfter: number;
}

const OK = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
const SWITCH = Buffer.from(
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
);

/**
 * Sends a client's bytes through the engine, in pieces that end at `ends`. @param late the upstream answers only when all have been sent, or
 * when the engine wants no more before; otherwise at once.
 * @throws Error where the engine throws, where it is not consistent with itself, or where it does not give back
 * everything in the end
 */
export async function runRequests(
  wire: Wire,
  bytes: Buffer,
  ends: readonly number[],
  late: boolean,
): Promise<RequestRun> {
  const client = wire.open();
  let fed = 0;
  let firstAfter = 0;
  for (const until of ends) {
    if (client.isPaused()) await answerAll(wire);
    if (client.over) break;
    if (client.isPaused()) throw new Error("the client's connection is paused, and nobody will resume it");
    feed(client, bytes.subarray(fed, until));
    fed = until;
    if (firstAfter === 0 && wire.upstreams[0]?.whole === true) firstAfter = fed;
    if (!late && wire.upstreams.at(-1)?.waits === true) await answerAll(wire);
  }
  await answerAll(wire);
  const end = endOf(client);
  const whole = wire.upstreams.filter((upstream) => upstream.whole);
  const broken = wire.upstreams.filter((upstream) => !upstream.whole && !upstream.fake.destroyed);
  if (broken.length > 0 && end !== "waits")
    throw new Error("half a request was left standing at the upstream");
  const held = wire.close(client);
  if (held !== "") throw new Error(held);
  return { forwarded: whole.map(forwarded), end, firstAfter };
}

/** Answers what has been sent on whole, one request after another. */
async function answerAll(wire: Wire): Promise<void> {
  for (;;) {
    const upstream = wire.upstreams.at(-1);
    if (upstream?.waits !== true) return;
    upstream.answered = true;
    answer(upstream);
    await new Promise<void>((resolve) => process.nextTick(resolve)); // pipelined requests come a tick later
  }
}

function answer({ fake }: Upstream): void {
  fake.emit("connect");
  fake.emit("data", /\r\nUpgrade: websocket\r\n/.test(takeOff(fake.written).head) ? SWITCH : OK);
}

function endOf(client: FakeSocket): RequestRun["end"] {
  const final = client.written.match(/HTTP\/1\.1 (?!1\d\d)\d{3}(?= )/g)?.at(-1);
  if (final !== undefined && !final.endsWith("200")) {
    if (!client.over) throw new Error(`a refused client's connection stays open: ${client.written}`);
    return "refused";
  }
  if (client.destroyed) throw new Error("the client's connection was cut");
  return client.ended ? "closed" : "waits";
}

function forwarded({ fake }: Upstream): Forwarded {
  const { head, body, trailer, rest } = takeOff(fake.written);
  if (rest !== "") throw new Error(`bytes behind a request's end: ${rest}`);
  return { bytes: fake.written, head, body, trailer };
}
