import {
  data,
  FLAG,
  frame,
  goaway,
  headers,
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
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GET,
  get,
  POST,
  PROTOCOL_ERROR,
  post,
} from "./words.ts";

const bytes = (length: number, value = 0): Buffer => Buffer.alloc(length, value);
const OK = { status: [200] };

/** Each type of frame: its stream, its length and what it may say. */
export const FRAMES: readonly Http2Case[] = [
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
