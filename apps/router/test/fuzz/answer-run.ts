import { feed } from "./fake-socket.ts";
import { type Framed, takeOff } from "./framed.ts";
import type { Wire } from "./wire.ts";

/** Who asks, which decides about the answer's framing. */
export interface Asked {
  readonly method: "GET" | "HEAD";
  /** The client speaks HTTP/1.0. */
  readonly old: boolean;
  readonly upgrade: boolean;
  /** The upstream closes its connection behind its last byte. */
  readonly ends: boolean;
}

export interface AnswerRun {
  /** `relayed` whole; answered with a problem instead; begun, and visibly broken off; or not whole yet. */
  readonly end: "relayed" | "refused" | "cut" | "waits";
  /** Heads of interim answers. */
  readonly interim: readonly string[];
  readonly head: string;
  /** Without its framing. */
  readonly body: string;
  readonly trailer: string;
  /** Everything after the interim answers, as the client got it. */
  readonly bytes: string;
  /** How many bytes the upstream had sent when the answer was whole. */
  readonly wholeAfter: number;
}

/** Sends an upstream's bytes through the engine, in pieces that end at `ends`. @throws Error as `runRequests` does */
export function runAnswer(wire: Wire, bytes: Buffer, ends: readonly number[], asked: Asked): AnswerRun {
  const client = wire.open();
  client.emit("data", question(asked));
  const { fake } = wire.upstreams[0]!;
  fake.emit("connect");
  let fed = 0;
  let wholeAfter = 0;
  const switched = () => splitInterim(client.written).rest.startsWith("HTTP/1.1 101 ");
  const whole = () => wire.lines.length > 0 || (asked.upgrade && switched());
  for (const until of ends) {
    if (fake.destroyed) break;
    feed(fake, bytes.subarray(fed, until));
    fed = until;
    if (wholeAfter === 0 && whole()) wholeAfter = fed;
  }
  if (asked.ends && !fake.destroyed) fake.emit("end");
  if (wholeAfter === 0 && whole()) wholeAfter = fed;
  const { interim, rest } = splitInterim(client.written);
  const framed = takeOff(rest);
  const end = switched() ? "relayed" : endOf(wire.lines[0]?.outcome, framed.head);
  if (end === "cut" && !client.reset && looksWhole(framed)) throw new Error(`looks whole: ${rest}`);
  if (framed.rest !== "") throw new Error(`bytes behind an answer's end: ${framed.rest}`);
  const held = wire.close(client);
  if (held !== "") throw new Error(held);
  return { end, interim, ...framed, bytes: rest, wholeAfter };
}

function question({ method, old, upgrade }: Asked): Buffer {
  const more = upgrade ? "Connection: Upgrade\r\nUpgrade: websocket\r\n" : "";
  return Buffer.from(`${method} / HTTP/1.${old ? 0 : 1}\r\nHost: a\r\n${more}\r\n`);
}

function endOf(outcome: string | undefined, head: string): AnswerRun["end"] {
  if (outcome === undefined) return "waits";
  if (outcome.startsWith("answered")) return "relayed";
  return head.includes("\r\nContent-Type: application/problem+json\r\n") ? "refused" : "cut";
}

/** A client would take it for a whole answer, though the upstream's broke off. */
function looksWhole({ head, body, trailer }: Framed): boolean {
  const length = /\r\ncontent-length:[\t ]*(\d+)/i.exec(head);
  return length
    ? body.length >= Number(length[1])
    : trailer !== "" || !head.includes("\r\nTransfer-Encoding: ");
}

function splitInterim(text: string): { interim: string[]; rest: string } {
  const interim: string[] = [];
  let rest = text;
  while (/^HTTP\/1\.1 1(?!01)\d\d /.test(rest)) {
    const end = rest.indexOf("\r\n\r\n") + 4;
    interim.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return { interim, rest };
}
