import {
  continuation,
  data,
  FLAG,
  frame,
  headers,
  PREFACE,
  ping,
  reset,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../../support/http2/frames.ts";
import { hpackInteger, indexedField } from "../../../support/http2/hpack.ts";
import type { Http2Case } from "../case.ts";
import { GET, get, POST, PROTOCOL_ERROR, post } from "./words.ts";

const OK = { status: [200] };
const CALM = 11;
/** Cut off for too much of something; a library may have its own word for it. */
const TOO_MUCH = { goaway: [CALM, PROTOCOL_ERROR, 2], cut: true } as const;
const times = (count: number, make: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const LARGE = 1024 * 1024;

/** Clients that want to cost more than they pay. */
export const HOSTILE: readonly Http2Case[] = [
  {
    name: "rapid reset is cut off",
    rfc: "9113 §10.5",
    send: [times(2000, (i) => Buffer.concat([get(2 * i + 1), reset(2 * i + 1)]))],
    stream: 8001,
    ends: TOO_MUCH,
    // What went on before the cut was canceled, and may have reached the target.
    hits: "any",
  },
  {
    name: "endless CONTINUATION is cut off",
    rfc: "9113 §10.5.1",
    send: [
      Buffer.concat([
        headers(1, GET(), { endHeaders: false }),
        times(3000, () => continuation(1, Buffer.alloc(16, 0x82), { endHeaders: false })),
      ]),
    ],
    ends: TOO_MUCH,
    hits: 0,
  },
  {
    name: "empty CONTINUATION without end is cut off",
    rfc: "9113 §10.5",
    send: [
      Buffer.concat([
        headers(1, GET(), { endHeaders: false }),
        times(3000, () => continuation(1, Buffer.alloc(0), { endHeaders: false })),
      ]),
    ],
    ends: TOO_MUCH,
    hits: 0,
  },
  {
    name: "a bomb of fields from the table is refused",
    rfc: "7541 §7.3",
    // One field of 4,000 bytes, then 10,000 references to it: 40 MB out of 14 KB.
    send: [
      Buffer.concat([
        headers(1, Buffer.concat([GET(), indexedField("x-a", "a".repeat(3900))]), { endHeaders: false }),
        continuation(1, Buffer.concat(Array.from({ length: 10_000 }, () => hpackInteger(62, 7, 0x80)))),
      ]),
    ],
    ends: { ...TOO_MUCH, status: [431], reset: [CALM, PROTOCOL_ERROR, 7] },
    hits: 0,
  },
  {
    name: "a flood of PINGs whose answers are not read",
    rfc: "9113 §10.5",
    send: async (client) => {
      client.socket.pause();
      client.send(times(50_000, () => ping()));
      client.socket.resume();
      client.send(get());
    },
    ends: { ...OK, ...TOO_MUCH },
    hits: "any",
  },
  {
    name: "a flood of SETTINGS whose acknowledgments are not read",
    rfc: "9113 §10.5",
    send: async (client) => {
      client.socket.pause();
      client.send(times(50_000, () => settings()));
      client.socket.resume();
      client.send(get());
    },
    ends: { ...OK, ...TOO_MUCH },
    hits: "any",
  },
  {
    name: "a flood of empty DATA frames",
    rfc: "9113 §10.5",
    send: [Buffer.concat([post(), times(20_000, () => data(1, "", { end: false })), data(1, "")])],
    ends: { ...OK, ...TOO_MUCH },
    hits: "any",
  },
  {
    name: "a flood of PRIORITY frames",
    rfc: "9113 §10.5",
    send: [Buffer.concat([times(20_000, (i) => frame(TYPE.PRIORITY, 0, 2 * i + 3, Buffer.alloc(5))), get()])],
    ends: { ...OK, ...TOO_MUCH },
    hits: "any",
  },
  {
    name: "a flood of WINDOW_UPDATE frames",
    rfc: "9113 §10.5",
    send: [Buffer.concat([post(), times(20_000, () => windowUpdate(1, 1)), data(1, "abc")])],
    ends: { ...OK, ...TOO_MUCH },
    hits: "any",
  },
  {
    name: "more streams at once than allowed are refused",
    rfc: "9113 §5.1.2",
    send: async (client) => {
      await client.flushed();
      client.send(times(2000, (i) => post(2 * i + 1)));
    },
    stream: 3999,
    ends: { reset: [7, PROTOCOL_ERROR], ...TOO_MUCH },
    hits: "any",
  },
  {
    name: "requests that are refused one after another come to an end",
    rfc: "9113 §10.5",
    send: [times(3000, (i) => headers(2 * i + 1, GET("/a", [["X-Upper", "1"]])))],
    stream: 5999,
    ends: { ...TOO_MUCH, reset: [PROTOCOL_ERROR] },
    hits: 0,
  },
  {
    name: "a client with a window of nothing costs no memory",
    rfc: "9113 §10.5",
    opening: Buffer.concat([PREFACE, settings([[SETTING.INITIAL_WINDOW_SIZE, 0]])]),
    send: async (client) => {
      client.send(get());
      await client.until(() => client.status(1) === 200, "a head");
      await client.flushed();
      client.send(reset(1));
      client.close();
    },
    upstream: {
      answers: [`HTTP/1.1 200 OK\r\nContent-Length: ${8 * LARGE}\r\n\r\n${"a".repeat(8 * LARGE)}`],
    },
    leaves: true,
    ends: OK,
    body: "",
  },
  {
    name: "a client with a window of one byte gets its answer",
    rfc: "9113 §6.9",
    opening: Buffer.concat([PREFACE, settings([[SETTING.INITIAL_WINDOW_SIZE, 1]])]),
    send: async (client) => {
      client.send(get());
      for (let got = 1; got <= 20; got++) {
        await client.until(() => client.stream(1).body.length === got, `byte ${got}`);
        client.send(windowUpdate(1, 1));
      }
    },
    upstream: { answers: ["HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789"] },
    leaves: true,
    ends: OK,
    body: "01234567890123456789",
  },
  {
    name: "a client that vanishes in the middle of a request",
    rfc: "9113 §5.1",
    send: async (client) => {
      client.send(post(), data(1, "abc", { end: false }));
      await client.flushed();
      client.socket.resetAndDestroy();
      await client.untilClosed();
    },
    ends: { cut: true },
    hits: 1,
    aborted: true,
  },
  {
    name: "a client that resets a request cancels it at the target",
    rfc: "9113 §5.4.2",
    send: async (client) => {
      client.send(post(), data(1, "abc", { end: false }));
      await client.flushed();
      client.send(reset(1), get(3));
    },
    stream: 3,
    ends: OK,
    hits: 2,
    aborted: true,
  },
  {
    name: "a client that vanishes in the middle of an answer",
    rfc: "9113 §5.1",
    send: async (client) => {
      client.send(get());
      await client.until(() => client.stream(1).body.length > 0, "some of the body");
      client.socket.resetAndDestroy();
      await client.untilClosed();
    },
    upstream: {
      answers: [`HTTP/1.1 200 OK\r\nContent-Length: ${8 * LARGE}\r\n\r\n${"a".repeat(8 * LARGE)}`],
    },
    leaves: true,
    ends: OK,
    truncated: true,
  },
  {
    name: "half a frame, and then nothing",
    rfc: "9113 §4.1",
    config: ({ timeouts }) => ({ timeouts: { ...timeouts, client_header: 400, keepalive: 400 } }),
    send: (client) => {
      client.polite = false; // an acknowledgment would be taken for the rest
      client.send(frame(TYPE.HEADERS, FLAG.END_HEADERS, 1, POST()).subarray(0, 12));
    },
    alone: true,
    ends: { cut: true, goaway: [CALM, PROTOCOL_ERROR] },
    hits: 0,
  },
  {
    name: "a preface, and then nothing",
    rfc: "9113 §3.4",
    config: ({ timeouts }) => ({ timeouts: { ...timeouts, client_header: 400, keepalive: 400 } }),
    opening: PREFACE,
    send: [],
    alone: true,
    ends: { cut: true, goaway: [CALM, PROTOCOL_ERROR, 4] },
    hits: 0,
  },
];
