import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { type PlaneOptions, TEST_CONFIG, testRouter } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { upstream } from "../../../../test/support/upstream.ts";

const open = closing();

/** A frame (RFC 9113 section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION] = [0, 1, 3, 4, 6, 8, 9];
const [END_STREAM, END_HEADERS] = [1, 4];
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const BEGUN = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]);
/** :method GET or POST, :scheme http, :path /, from HPACK's static table, and :authority x. */
const GET = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x78]);
const POST = Buffer.from([0x83, 0x86, 0x84, 0x41, 0x01, 0x78]);
const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const times = (count: number, make: (i: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));

/** The code of the GOAWAY in what was received (RFC 9113 section 6.8). */
function goawayCode(received: string): number | undefined {
  const bytes = Buffer.from(received, "latin1");
  const at = bytes.lastIndexOf(Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0]));
  return at < 0 ? undefined : bytes.readUInt32BE(at + 13);
}

describe.each(ENGINES)("an HTTP/2 client that attacks ($name)", ({ create }) => {
  async function scene(config: PlaneOptions["config"] = {}, answer?: Parameters<typeof upstream>[0]) {
    const target = open(await upstream(answer));
    const router = open(await testRouter({ blue: { weight: 1, targets: [target.url] } }, { config }, create));
    const good = open(http2Client(router.url));
    expect((await good.send({})).status).toBe(200);
    const attack = async (bytes: Buffer) => {
      const client = open(await RawClient.connect(router.port));
      client.send(bytes);
      return client;
    };
    /** The attacker is cut off, and the others do not notice. */
    const isCut = async (bytes: Buffer) => {
      await (await attack(bytes)).untilClosed();
      expect((await good.send({})).status).toBe(200);
      await eventually(() => router.plane.connections === 1);
    };
    return { target, router, good, attack, isCut };
  }

  it("is cut off for frames that break the protocol", async () => {
    const { isCut } = await scene();
    await isCut(Buffer.concat([PREFACE, frame(PING, 0, 0, Buffer.alloc(8))])); // no SETTINGS
    await isCut(Buffer.concat([BEGUN, frame(DATA, 0, 1, Buffer.alloc(20_000))])); // over the frame size
    await isCut(Buffer.concat([PREFACE, Buffer.alloc(64, 255)]));
    await isCut(Buffer.concat([BEGUN, frame(HEADERS, END_HEADERS, 1, Buffer.alloc(30, 255))])); // no HPACK
    await isCut(Buffer.concat([BEGUN, frame(DATA, 0, 1, Buffer.alloc(10))])); // on no stream
  });

  it("is cut off for endless CONTINUATION frames (CVE-2024-27316)", async () => {
    const { isCut } = await scene();
    const more = times(2000, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16, 0x82)));
    await isCut(Buffer.concat([BEGUN, frame(HEADERS, END_STREAM, 1, GET), more]));
  });

  it("is cut off for rapid resets (CVE-2023-44487), and its requests leave nothing behind", async () => {
    const { isCut, router } = await scene();
    const resets = times(3000, (i) =>
      Buffer.concat([
        frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, GET),
        frame(RST_STREAM, 0, 2 * i + 1, number(8)),
      ]),
    );
    await isCut(Buffer.concat([BEGUN, resets]));
    await eventually(() => router.plane.colors[0]!.counters.inFlight === 0);
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
  });

  it("is cut off for making us reset streams (CVE-2025-8671)", async () => {
    const { isCut } = await scene({}, (_request, response) => void setImmediate(() => response.end("ok")));
    const faults = times(3000, (i) =>
      Buffer.concat([
        frame(HEADERS, END_HEADERS, 2 * i + 1, POST),
        frame(WINDOW_UPDATE, 0, 2 * i + 1, number(0)), // a fault of the stream
      ]),
    );
    await isCut(Buffer.concat([BEGUN, faults]));
  });

  it("is cut off for floods of PING, SETTINGS and empty DATA", async () => {
    const { isCut } = await scene();
    await isCut(Buffer.concat([BEGUN, times(20_000, () => frame(PING, 0, 0, Buffer.alloc(8)))]));
    await isCut(Buffer.concat([BEGUN, times(20_000, () => frame(SETTINGS, 0, 0))]));
    const post = frame(HEADERS, END_HEADERS, 1, POST);
    await isCut(Buffer.concat([BEGUN, post, times(20_000, () => frame(DATA, 0, 1))]));
  });

  it("is cut off for the same in moderation, when it waits for our answers, and told to calm down", async () => {
    const { attack, router } = await scene();
    /** Sends so many at a time, and waits for as many bytes of answers, until it is cut off. */
    const pace = async (count: number, each: number, make: (i: number) => Buffer) => {
      const client = await attack(BEGUN);
      for (let sent = 0; !client.closed; sent += count) {
        const before = client.text.length;
        client.send(times(count, (i) => make(sent + i)));
        await eventually(() => client.closed || client.text.length >= before + count * each);
      }
      expect(goawayCode(client.text)).toBe(11); // ENHANCE_YOUR_CALM
    };
    await pace(50, 17, () => frame(PING, 0, 0, Buffer.alloc(8)));
    await pace(50, 9, () => frame(SETTINGS, 0, 0));
    await eventually(() => router.plane.connections === 1);
  });

  it("is cut off for a header bomb: a large field, referred to again and again", async () => {
    const { isCut, target } = await scene();
    const large = Buffer.concat([
      Buffer.from([0x40, 0x01, 0x78, 0x7f, 0x81, 0x1e]),
      Buffer.alloc(4000, 0x61),
    ]);
    const first = Buffer.concat([GET, large]);
    const bombs = times(300, (i) =>
      frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 3, Buffer.concat([GET, Buffer.alloc(12_000, 0xbe)])),
    );
    await isCut(Buffer.concat([BEGUN, frame(HEADERS, END_HEADERS | END_STREAM, 1, first), bombs]));
    expect(target.seen.length).toBeLessThan(4);
  });

  it("has at most 128 streams at once", async () => {
    const { good, isCut } = await scene();
    expect(good.session.remoteSettings.maxConcurrentStreams).toBe(128);
    const streams = times(140, (i) => frame(HEADERS, END_HEADERS, 2 * i + 1, POST));
    const acknowledged = Buffer.concat([BEGUN, frame(SETTINGS, 1, 0)]);
    await isCut(
      Buffer.concat([
        acknowledged,
        streams,
        times(200, (i) => frame(HEADERS, END_HEADERS, 2 * i + 281, POST)),
      ]),
    );
  });

  it("is given up when it says nothing more after its preface, or sends a body without an end", async () => {
    const timeouts = { ...TEST_CONFIG.timeouts, client_header: 100, client_body: 100, keepalive: 100 };
    const { attack, router } = await scene({ timeouts });
    await (await attack(PREFACE.subarray(0, 20))).untilClosed();
    await (await attack(PREFACE)).untilClosed();
    await (await attack(BEGUN)).untilClosed();
    const slow = await attack(
      Buffer.concat([BEGUN, frame(HEADERS, END_HEADERS, 1, POST), frame(DATA, 0, 1, Buffer.alloc(9))]),
    );
    await slow.untilClosed();
    expect(router.lines.some(({ status, outcome }) => status === 408 && outcome === "body_timeout")).toBe(
      true,
    );
  });

  it("is given up when it does not read its answer: with a window of nothing, or of a byte", async () => {
    const timeouts = { ...TEST_CONFIG.timeouts, stream_idle: 200 };
    const { attack, router } = await scene({ timeouts }, (_request, response) =>
      response.end(Buffer.alloc(300_000)),
    );
    const window = Buffer.concat([Buffer.from([0, 4]), number(0)]);
    const begun = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, window)]);
    await attack(Buffer.concat([begun, frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)]));
    await eventually(() => router.lines.length === 2);
    expect(router.lines[1]).toMatchObject({ status: 499, outcome: "client_abort" });
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
  });

  it("cannot take half a request for a whole one, nor CONNECT, nor fields of a connection", async () => {
    const { good, target, attack, router } = await scene();
    const vanishing = await attack(
      Buffer.concat([
        BEGUN,
        frame(HEADERS, END_HEADERS, 1, POST),
        frame(DATA, 0, 1, Buffer.from("half")),
        frame(RST_STREAM, 0, 1, number(0)),
      ]),
    );
    await eventually(() => router.lines.length === 2);
    expect(router.lines[1]).toMatchObject({ outcome: "client_abort" });
    vanishing.close();
    expect(target.seen.length).toBe(1);
    const connect = good.session.request({ ":method": "CONNECT", ":authority": "x:1" });
    connect.on("error", () => {});
    const [head] = await once(connect, "response");
    expect(head[":status"]).toBe(405);
    const field = Buffer.from("\x00\x0aconnection\x05close", "latin1");
    const bad = await attack(
      Buffer.concat([BEGUN, frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.concat([GET, field]))]),
    );
    await bad.until(
      Buffer.concat([Buffer.from([0, 0, 4, RST_STREAM, 0]), number(1), number(1)]).toString("latin1"),
    );
  });
});
