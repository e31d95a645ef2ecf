import { data, headers } from "../../../support/http2/frames.ts";
import { headerBlock } from "../../../support/http2/hpack.ts";
import type { Http2Case } from "../case.ts";
import { GET, get, MALFORMED, post } from "./words.ts";

const OK = { status: [200] };
const answer = (text: string) => [`HTTP/1.1 ${text}`];

/** Requests of HTTP/2 as HTTP/1.1 to a target. */
export const TRANSLATION: readonly Http2Case[] = [
  {
    name: "a request becomes one of HTTP/1.1, and its authority the Host",
    rfc: "9113 §8.3.1",
    send: [
      get(1, "/a?b=%20c", [
        ["x-a", "1"],
        ["x-a", "2"],
        ["x-empty", ""],
      ]),
    ],
    ends: OK,
    body: "ok",
    has: [/^:status: 200$/m, /^content-length: 2$/m],
    upstreamHas: [
      /^GET \/a\?b=%20c HTTP\/1\.1\r\n/,
      /\r\nHost: a\r\n/i,
      /\r\nx-a: 1\r\n/i,
      /\r\nx-a: 2\r\n/i,
      /\r\nx-empty:/i,
    ],
    upstreamLacks: [/\r\n:/, /transfer-encoding/i, /content-length/i],
  },
  {
    name: "host without :authority",
    rfc: "9113 §8.3.1",
    send: [
      headers(
        1,
        headerBlock([
          [":method", "GET"],
          [":scheme", "http"],
          [":path", "/a"],
          ["host", "b"],
        ]),
      ),
    ],
    ends: OK,
    upstreamHas: [/\r\nHost: b\r\n/i],
  },
  {
    name: "a host that says what the :authority says",
    rfc: "9113 §8.3.1",
    send: [get(1, "/a", [["host", "a"]])],
    ends: OK,
    upstreamHas: [/^(?:(?!\r\nhost:)[\s\S])*\r\nhost: a\r\n(?:(?!\r\nhost:)[\s\S])*$/i],
  },
  {
    name: "a body with its length",
    rfc: "9113 §8.1",
    send: [post(1, [["content-length", "6"]]), data(1, "abc", { end: false }), data(1, "def")],
    ends: OK,
    upstreamHas: [/content-length: 6\r\n/i, /\r\n\r\nabcdef$/],
    upstreamLacks: [/transfer-encoding/i],
  },
  {
    name: "a body without a length is chunked",
    rfc: "9113 §8.1",
    send: [post(), data(1, "abc", { end: false }), data(1, "GET /b HTTP/1.1\r\n\r\n")],
    ends: OK,
    upstreamHas: [/transfer-encoding: chunked\r\n/i, /\r\n3\r\nabc\r\n/, /\r\n0\r\n\r\n$/],
    upstreamLacks: [/content-length/i],
  },
  {
    name: "an empty DATA frame ends a body",
    rfc: "9113 §6.1",
    send: [post(), data(1, "")],
    ends: OK,
  },
  {
    name: "a GET with a body",
    rfc: "9110 §9.3.1",
    send: [headers(1, GET(), { end: false }), data(1, "abc")],
    ends: OK,
    upstreamHas: [/abc/],
  },
  {
    name: "crumbs of a cookie are one field of HTTP/1.1",
    rfc: "9113 §8.2.3",
    send: [
      get(1, "/a", [
        ["cookie", "a=1"],
        ["cookie", "b=2"],
      ]),
    ],
    ends: OK,
    upstreamHas: [/\r\ncookie: a=1; b=2\r\n/i],
  },
  {
    name: "a field that Connection could name is no way to drop another",
    rfc: "9113 §8.2.2",
    send: [
      get(1, "/a", [
        ["connection", "x-secret"],
        ["x-secret", "1"],
      ]),
    ],
    ends: MALFORMED,
  },
  {
    name: "X-Forwarded-* say who asked, and by which scheme",
    rfc: "7239 §4",
    send: [
      get(1, "/a", [
        ["x-forwarded-for", "1.2.3.4"],
        ["x-forwarded-proto", "https"],
      ]),
    ],
    ends: OK,
    upstreamHas: [/x-forwarded-for: 127\.0\.0\.1\r\n/i, /x-forwarded-proto: http\r\n/i],
    upstreamLacks: [/1\.2\.3\.4/],
  },
  {
    name: "values keep bytes above ASCII",
    rfc: "9110 §5.5",
    send: [get(1, "/a", [["x-a", "\u00fc"]])],
    upstream: { answers: ["HTTP/1.1 200 OK\r\nX-B: \u00e9\r\nContent-Length: 2\r\n\r\nok"] },
    ends: OK,
    has: ["x-b: \u00e9"],
    upstreamHas: [/x-a: \u00fc\r\n/i],
  },
  {
    name: "an early answer to a body that still comes",
    rfc: "9113 §8.1",
    send: [post(), data(1, "abc", { end: false })],
    upstream: { early: true, answers: answer("413 Content Too Large\r\nContent-Length: 0\r\n\r\n") },
    ends: { status: [413] },
    hits: 1,
  },
  {
    name: "expect: 100-continue is answered",
    rfc: "9110 §10.1.1",
    send: async (client) => {
      client.send(
        post(1, [
          ["expect", "100-continue"],
          ["content-length", "3"],
        ]),
      );
      await client.until(() => client.stream(1).interim.length > 0, "100 Continue");
      client.send(data(1, "abc"));
    },
    ends: OK,
    interim: [100],
    upstreamHas: [/abc$/],
  },
  {
    name: "trailers of a request are relayed from HTTP/2",
    rfc: "9113 §8.1",
    send: [post(), data(1, "abc", { end: false }), headers(1, headerBlock([["x-t", "1"]]))],
    ends: OK,
    upstreamHas: [/\r\n0\r\nx-t: 1\r\n\r\n$/i],
  },
  {
    name: "a :scheme does not say how the client came",
    rfc: "9113 §8.3.1",
    send: [
      headers(
        1,
        headerBlock([
          [":method", "GET"],
          [":scheme", "https"],
          [":path", "/a"],
          [":authority", "a"],
        ]),
      ),
    ],
    ends: OK,
    upstreamHas: [/x-forwarded-proto: http\r\n/i],
  },
];
