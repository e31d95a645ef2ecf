import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import type { CreateEngine } from "../../../src/proxy/engine.ts";
import { codeName, FrameClient } from "../../support/http2/frame-client.ts";
import { headers } from "../../support/http2/frames.ts";
import { headerBlock } from "../../support/http2/hpack.ts";
import { memoryInUse } from "../../support/memory.ts";
import { TEST_CONFIG, testRouter } from "../../support/plane.ts";
import { PROBE_PATH, type ScriptedUpstream, scriptedUpstream } from "../scripted-upstream.ts";
import type { Ending, Http2Case } from "./case.ts";

/** Streams that the cases do not use. */
const PROBE_STREAM = 9001;
/** What a hostile client may cost, in bytes, once it is gone. */
const LITTLE = 32 * 1024 * 1024;

/** Plays a case against an engine on real sockets, beside a client that must not notice. */
export async function runHttp2Case(test: Http2Case, createEngine: CreateEngine): Promise<void> {
  const upstream = await scriptedUpstream(test.upstream ?? {});
  const router = await testRouter(
    { blue: { weight: 1, targets: [upstream.url] } },
    { config: { ...test.config?.(TEST_CONFIG) } },
    createEngine,
  );
  let neighbor = test.alone ? undefined : await Neighbor.begin(router.url);
  const before = held();
  try {
    const client = await FrameClient.connect(router.port, test.opening ? { opening: test.opening } : {});
    await play(test, client);
    await settled(test, client);
    judge(test, client);
    await stillWorks(test, client);
    client.close();
    neighbor ??= new Neighbor(router.url);
    await neighbor.end();
    expect(held() - before).toBeLessThan(LITTLE);
    await checkUpstream(test, upstream);
  } finally {
    neighbor?.close();
    await router.close(); // rejects if a stream, a lease or a byte was not given back
    await upstream.close();
  }
}

function held(): number {
  const { heapUsed, external } = memoryInUse();
  return heapUsed + external;
}

async function play({ send }: Http2Case, client: FrameClient): Promise<void> {
  if (typeof send === "function") return send(client);
  for (const [i, piece] of send.entries()) {
    if (i > 0) await client.flushed();
    client.send(piece);
  }
}

async function settled({ stream = 1 }: Http2Case, client: FrameClient): Promise<void> {
  await client
    .until(() => client.isSettled(stream) || client.goaway || client.closed, "an ending")
    .catch(() => {}); // it was closed
}

/** What happened, in the words of an {@link Ending}. */
function endingOf(client: FrameClient, stream: number): Ending {
  const { reset } = client.stream(stream);
  const status = client.status(stream);
  if (client.goaway) return { goaway: [client.goaway] };
  if (status) return { status: [status] };
  if (reset !== undefined) return { reset: [reset] };
  return client.closed ? { cut: true } : {};
}

function judge(test: Http2Case, client: FrameClient): void {
  const { stream = 1, ends } = test;
  const seen = endingOf(client, stream);
  const told = `${JSON.stringify(seen)} (${codeName(seen.reset?.[0] ?? seen.goaway?.[0])}) ${client.summary()}`;
  const allowed =
    (seen.status && ends.status?.includes(seen.status[0]!)) ||
    (seen.reset && ends.reset?.includes(seen.reset[0]!)) ||
    (seen.goaway && ends.goaway?.includes(seen.goaway[0]!)) ||
    (seen.cut && ends.cut);
  expect(allowed, told).toBe(true);
  const { heads, interim, body, ended } = client.stream(stream);
  const fields = heads
    .flat()
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
  for (const part of test.has ?? []) expect(fields).toMatch(part);
  for (const part of test.lacks ?? []) expect(fields).not.toMatch(part);
  if (test.body !== undefined) expect(body.toString("latin1")).toBe(test.body);
  if (test.truncated) expect(ended, told).toBe(false);
  const statuses = interim.map((head) => Number(head.find(([name]) => name === ":status")?.[1]));
  if (seen.status) expect(statuses).toEqual(test.interim ?? []);
}

/** After an error of a stream the connection serves on; after one of the connection it is closed. */
async function stillWorks({ stream = 1, leaves }: Http2Case, client: FrameClient): Promise<void> {
  if (leaves) return;
  const seen = endingOf(client, stream);
  if (seen.goaway || seen.cut) return client.untilClosed();
  client.send(headers(PROBE_STREAM, headerBlock(requestFields(PROBE_PATH))));
  await client.settled(PROBE_STREAM);
  expect(client.stream(PROBE_STREAM).body.toString(), client.summary()).toBe("PROBE-OK");
}

export function requestFields(path: string): [string, string][] {
  return [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "a"],
  ];
}

async function checkUpstream(test: Http2Case, upstream: ScriptedUpstream): Promise<void> {
  const answered = test.ends.status?.some((status) => status < 400) ?? false;
  const hits = test.hits ?? (answered ? 1 : 0);
  if (hits !== "any") expect(upstream.hits, upstream.received).toBe(hits);
  for (const part of test.upstreamHas ?? []) expect(upstream.received).toMatch(part);
  for (const part of test.upstreamLacks ?? []) expect(upstream.received).not.toMatch(part);
  if (test.aborted !== undefined) expect(upstream.aborted).toBe(test.aborted);
}

/** Another client, in the middle of a request while the case is played. */
class Neighbor {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
    this.#session = connect(url);
    this.#session.on("error", () => {});
    this.#stream = this.#session.request({ ":method": "POST", ":path": PROBE_PATH });
    this.#stream.on("error", () => {});
  }

  /** It has sent a half of its request. */
  static async begin(url: string): Promise<Neighbor> {
    const neighbor = new Neighbor(url);
    neighbor.#stream.write("half ");
    await new Promise((resolve) => neighbor.#session.ping(Buffer.alloc(8), resolve));
    return neighbor;
  }

  /** Its request is answered, and so is one over HTTP/1.1. */
  async end(): Promise<void> {
    const answer = once(this.#stream, "response");
    this.#stream.end("and whole");
    const [head] = await answer;
    expect([head[":status"], await text(this.#stream)]).toEqual([200, "PROBE-OK"]);
    expect(await (await fetch(`${this.#url}${PROBE_PATH}`)).text()).toBe("PROBE-OK");
  }

  close(): void {
    this.#session.destroy();
  }
}
