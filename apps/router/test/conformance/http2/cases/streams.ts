import {
  continuation,
  data,
  frame,
  headers,
  PREFACE,
  ping,
  reset,
  settings,
  windowUpdate,
} from "../../../support/http2/frames.ts";
import type { Http2Case } from "../case.ts";
import {
  broken,
  COMPRESSION_ERROR,
  FRAME_SIZE_ERROR,
  GET,
  get,
  PROTOCOL_ERROR,
  post,
  STREAM_CLOSED,
} from "./words.ts";

const bytes = (length: number, value = 0): Buffer => Buffer.alloc(length, value);
const OK = { status: [200] };

/** The preface, header blocks, streams and their states. */
export const STREAMS: readonly Http2Case[] = [
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
];
