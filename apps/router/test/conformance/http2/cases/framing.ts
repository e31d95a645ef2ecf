import {
  continuation,
  data,
  FLAG,
  frame,
  goaway,
  headers,
  PREFACE,
  ping,
  reset,
  SETTING,
  settings,
  settingsAck,
  TYPE,
  windowUpdate,
} from "../../../support/http2/frames.ts";
import type { Http2Case } from "../case.ts";
import {
  broken,
  COMPRESSION_ERROR,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GET,
  get,
  POST,
  PROTOCOL_ERROR,
  post,
  STREAM_CLOSED,
} from "./words.ts";

const bytes = (length: number, value = 0): Buffer => Buffer.alloc(length, value);
const OK = { status: [200] };

/** The preface, frames, streams and their states. */
export const FRAMING: readonly Http2Case[] = [
  {
    name: "the preface and SETTINGS in one piece with a request",
    rfc: "9113 §3.4",
    opening: Buffer.concat([PREFACE, settings(), get()]),
    send: [],
    ends: OK,
    body: "ok",
  },
  {
    name: "the preface and SETTINGS in one piece with a whole request and its body",
    rfc: "9113 §3.4",
    opening: Buffer.concat([PREFACE, settings(), post(), data(1, "abc", { end: false }), data(1, "def")]),
    send: [],
    ends: OK,
    upstreamHas: [/def/],
  },
  {
    name: "the preface byte by byte",
    rfc: "9113 §3.4",
    opening: PREFACE.subarray(0, 1),
    send: async (client) => {
      client.polite = false; // the router's own preface may come amid ours
      for (const byte of PREFACE.subarray(1)) {
        client.send(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
      client.send(settings(), get());
    },
    ends: OK,
  },
  {
    name: "a preface that breaks off into something else",
    rfc: "9113 §3.4",
    opening: Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
    send: [],
    ends: { cut: true, ...broken(PROTOCOL_ERROR) },
  },
  {
    name: "no SETTINGS behind the preface",
    rfc: "9113 §3.4",
    opening: Buffer.concat([PREFACE, ping()]),
    send: [],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "HTTP/1.1 behind the preface",
    rfc: "9113 §3.4",
    opening: Buffer.concat([PREFACE, Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(9))]),
    send: [],
    ends: broken(PROTOCOL_ERROR, FRAME_SIZE_ERROR),
  },
  {
    name: "frames of an unknown type are ignored",
    rfc: "9113 §5.5",
    send: [frame(42, 255, 0, bytes(9)), get()],
    ends: OK,
  },
  {
    name: "unknown settings are ignored",
    rfc: "9113 §6.5.2",
    opening: Buffer.concat([PREFACE, settings([[999, 1]])]),
    send: [get()],
    ends: OK,
  },
  {
    name: "a frame over the size agreed on",
    rfc: "9113 §4.2",
    send: [post(), data(1, bytes(16_385))],
    hits: "any",
    ends: broken(FRAME_SIZE_ERROR),
  },
  {
    name: "HEADERS that are no HPACK",
    rfc: "9113 §4.3",
    send: [headers(1, bytes(30, 255))],
    ends: broken(COMPRESSION_ERROR),
  },
  {
    name: "an entry that the table does not have",
    rfc: "7541 §2.3.3",
    send: [headers(1, Buffer.from([0x80 | 100]))],
    ends: broken(COMPRESSION_ERROR),
  },
  {
    name: "a table larger than allowed",
    rfc: "7541 §6.3",
    send: [headers(1, Buffer.concat([Buffer.from([0x3f, 0xff, 0xff, 0x03]), GET()]))],
    ends: broken(COMPRESSION_ERROR),
  },
  {
    name: "a header block that breaks off in a field",
    rfc: "9113 §4.3",
    send: [headers(1, GET().subarray(0, 20))],
    ends: broken(COMPRESSION_ERROR, PROTOCOL_ERROR),
  },
  {
    name: "a header block over several frames",
    rfc: "9113 §4.3",
    send: [
      Buffer.concat([
        headers(1, GET().subarray(0, 9), { endHeaders: false }),
        continuation(1, GET().subarray(9, 11), { endHeaders: false }),
        continuation(1, GET().subarray(11)),
      ]),
    ],
    ends: OK,
  },
  {
    name: "another frame amid a header block",
    rfc: "9113 §6.10",
    send: [Buffer.concat([headers(1, GET(), { endHeaders: false }), ping()])],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "CONTINUATION of another stream",
    rfc: "9113 §6.10",
    send: [Buffer.concat([headers(1, GET(), { endHeaders: false }), continuation(3, GET())])],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "CONTINUATION without HEADERS",
    rfc: "9113 §6.10",
    send: [continuation(1, GET())],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "DATA on an idle stream",
    rfc: "9113 §5.1",
    send: [data(1, "x")],
    ends: broken(PROTOCOL_ERROR, STREAM_CLOSED),
  },
  { name: "RST_STREAM on an idle stream", rfc: "9113 §6.4", send: [reset(1)], ends: broken(PROTOCOL_ERROR) },
  {
    name: "WINDOW_UPDATE on an idle stream",
    rfc: "9113 §5.1",
    send: [windowUpdate(1, 9)],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "DATA behind the end of a request",
    rfc: "9113 §5.1",
    send: [Buffer.concat([get(), data(1, "x")])],
    hits: "any",
    ends: { reset: [STREAM_CLOSED], goaway: [STREAM_CLOSED, PROTOCOL_ERROR] },
  },
  {
    // nghttp2 does not say that it looks at neither of these; what counts is that nobody serves them.
    name: "HEADERS on a stream that was reset are not served",
    rfc: "9113 §5.1",
    send: [Buffer.concat([post(), reset(1)]), get(1, "/b"), get(3)],
    stream: 3,
    ends: { ...OK, goaway: [STREAM_CLOSED, PROTOCOL_ERROR] },
    hits: "any",
    upstreamLacks: [/GET \/b/],
  },
  { name: "a stream with an even number", rfc: "9113 §5.1.1", send: [get(2)], ends: broken(PROTOCOL_ERROR) },
  {
    name: "a stream with a smaller number than one before is not served",
    rfc: "9113 §5.1.1",
    send: [get(5), get(3, "/b"), get(7)],
    stream: 7,
    ends: { ...OK, goaway: [PROTOCOL_ERROR, STREAM_CLOSED] },
    hits: "any",
    upstreamLacks: [/GET \/b/],
  },
  { name: "DATA on stream 0", rfc: "9113 §6.1", send: [data(0, "x")], ends: broken(PROTOCOL_ERROR) },
  { name: "HEADERS on stream 0", rfc: "9113 §6.2", send: [headers(0, GET())], ends: broken(PROTOCOL_ERROR) },
  {
    name: "padding longer than its frame",
    rfc: "9113 §6.1",
    send: [post(), frame(TYPE.DATA, FLAG.PADDED, 1, Buffer.from([200, 1]))],
    hits: "any",
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "padded DATA and HEADERS",
    rfc: "9113 §6.1",
    send: [
      frame(
        TYPE.HEADERS,
        FLAG.PADDED | FLAG.END_HEADERS,
        1,
        Buffer.concat([Buffer.from([5]), POST(), bytes(5)]),
      ),
      frame(
        TYPE.DATA,
        FLAG.PADDED | FLAG.END_STREAM,
        1,
        Buffer.concat([Buffer.from([3]), Buffer.from("abc"), bytes(3)]),
      ),
    ],
    ends: OK,
    upstreamHas: [/abc/],
  },
  {
    name: "PRIORITY is ignored",
    rfc: "9113 §5.3.2",
    send: [frame(TYPE.PRIORITY, 0, 3, bytes(5, 1)), get()],
    ends: OK,
  },
  {
    name: "RST_STREAM of a wrong length",
    rfc: "9113 §6.4",
    send: [post(), frame(TYPE.RST_STREAM, 0, 1, bytes(3))],
    hits: "any",
    ends: broken(FRAME_SIZE_ERROR),
  },
  { name: "RST_STREAM on stream 0", rfc: "9113 §6.4", send: [reset(0)], ends: broken(PROTOCOL_ERROR) },
  {
    name: "SETTINGS on a stream",
    rfc: "9113 §6.5",
    send: [frame(TYPE.SETTINGS, 0, 1)],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "SETTINGS of a wrong length",
    rfc: "9113 §6.5",
    send: [frame(TYPE.SETTINGS, 0, 0, bytes(5))],
    ends: broken(FRAME_SIZE_ERROR),
  },
  {
    name: "an acknowledgment with content",
    rfc: "9113 §6.5",
    send: [frame(TYPE.SETTINGS, FLAG.ACK, 0, bytes(6))],
    ends: broken(FRAME_SIZE_ERROR),
  },
  {
    name: "an acknowledgment of SETTINGS that nobody sent",
    rfc: "9113 §6.5",
    send: [Buffer.concat([settingsAck(), settingsAck(), settingsAck(), get()])],
    hits: "any",
    ends: { ...OK, goaway: [PROTOCOL_ERROR] },
  },
  ...(
    [
      ["ENABLE_PUSH of 2", SETTING.ENABLE_PUSH, 2, PROTOCOL_ERROR],
      ["a window of 2 GiB", SETTING.INITIAL_WINDOW_SIZE, 2 ** 31, FLOW_CONTROL_ERROR],
      ["frames of 100 bytes", SETTING.MAX_FRAME_SIZE, 100, PROTOCOL_ERROR],
      ["frames of 16 MiB", SETTING.MAX_FRAME_SIZE, 2 ** 24, PROTOCOL_ERROR],
    ] as const
  ).map(
    ([what, id, value, code]): Http2Case => ({
      name: `SETTINGS with ${what}`,
      rfc: "9113 §6.5.2",
      send: [settings([[id, value]])],
      ends: broken(code),
    }),
  ),
  {
    name: "PUSH_PROMISE of a client",
    rfc: "9113 §8.4",
    send: [
      post(),
      frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), GET()])),
    ],
    hits: "any",
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "PING on a stream",
    rfc: "9113 §6.7",
    send: [frame(TYPE.PING, 0, 1, bytes(8))],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "PING of a wrong length",
    rfc: "9113 §6.7",
    send: [frame(TYPE.PING, 0, 0, bytes(7))],
    ends: broken(FRAME_SIZE_ERROR),
  },
  {
    name: "GOAWAY on a stream",
    rfc: "9113 §6.8",
    send: [frame(TYPE.GOAWAY, 0, 1, bytes(8))],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "a window that grows by nothing",
    rfc: "9113 §6.9",
    send: [post(), windowUpdate(1, 0)],
    hits: "any",
    ends: { reset: [PROTOCOL_ERROR], goaway: [PROTOCOL_ERROR] },
  },
  {
    name: "a connection's window that grows by nothing",
    rfc: "9113 §6.9",
    send: [windowUpdate(0, 0)],
    ends: broken(PROTOCOL_ERROR),
  },
  {
    name: "a window that grows too large",
    rfc: "9113 §6.9.1",
    send: [post(), Buffer.concat([windowUpdate(1, 2 ** 31 - 1), windowUpdate(1, 2 ** 31 - 1)])],
    hits: "any",
    ends: { reset: [FLOW_CONTROL_ERROR], goaway: [FLOW_CONTROL_ERROR] },
  },
  {
    name: "a connection's window that grows too large",
    rfc: "9113 §6.9.1",
    send: [Buffer.concat([windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 2 ** 31 - 1)])],
    ends: broken(FLOW_CONTROL_ERROR),
  },
  {
    name: "WINDOW_UPDATE of a wrong length",
    rfc: "9113 §6.9",
    send: [frame(TYPE.WINDOW_UPDATE, 0, 0, bytes(3))],
    ends: broken(FRAME_SIZE_ERROR),
  },
  {
    name: "a client's GOAWAY lets what it has asked for end",
    rfc: "9113 §6.8",
    send: async (client) => {
      client.send(post());
      await client.flushed();
      client.send(goaway(0), data(1, "abc"));
      await client.settled(1);
      client.close();
      await client.untilClosed();
    },
    leaves: true,
    ends: OK,
    body: "ok",
  },
];
