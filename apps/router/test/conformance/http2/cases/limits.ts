import { continuation, data, headers } from "../../../support/http2/frames.ts";
import type { Http2Case } from "../case.ts";
import { GET, get, PROTOCOL_ERROR, post } from "./words.ts";

/** Requests over a limit or a time-out. */
export const LIMITS: readonly Http2Case[] = [
  {
    name: "a body over limits.body by its length is 413",
    rfc: "9110 §15.5.14",
    config: ({ limits }) => ({ limits: { ...limits, body: 20 } }),
    send: [post(1, [["content-length", "21"]])],
    ends: { status: [413] },
    hits: 0,
  },
  {
    name: "a body over limits.body as it comes is 413",
    rfc: "9110 §15.5.14",
    config: ({ limits }) => ({ limits: { ...limits, body: 20 } }),
    send: [post(), data(1, "abcdefabcdef", { end: false }), data(1, "abcdefabcdef", { end: false })],
    ends: { status: [413] },
    hits: 1,
    aborted: true,
  },
  {
    name: "a head over limits.header is 431",
    rfc: "6585 §5",
    config: ({ limits }) => ({ limits: { ...limits, header: 2048 } }),
    send: [get(1, "/a", [["x-a", "a".repeat(3000)]])],
    ends: { status: [431] },
    hits: 0,
  },
  {
    name: "more fields than limits.headers is 431",
    rfc: "6585 §5",
    config: ({ limits }) => ({ limits: { ...limits, headers: 20 } }),
    send: [
      get(
        1,
        "/a",
        Array.from({ length: 30 }, (_, i): [string, string] => [`x-${i}`, "1"]),
      ),
    ],
    ends: { status: [431] },
    hits: 0,
  },
  {
    name: "a body that does not come is 408",
    rfc: "9110 §15.5.9",
    config: ({ timeouts }) => ({ timeouts: { ...timeouts, client_body: 400 } }),
    send: [post(), data(1, "abc", { end: false })],
    alone: true,
    ends: { status: [408] },
    hits: 1,
    aborted: true,
  },
  {
    name: "a head that does not end is cut off",
    rfc: "9113 §10.5",
    config: ({ timeouts }) => ({ timeouts: { ...timeouts, client_header: 400 } }),
    send: [
      Buffer.concat([
        headers(1, GET().subarray(0, 9), { endHeaders: false }),
        continuation(1, GET().subarray(9, 11), { endHeaders: false }),
      ]),
    ],
    alone: true,
    ends: { goaway: [PROTOCOL_ERROR, 11], cut: true },
    hits: 0,
  },
];
