import { continuation, data, headers } from "../../../support/http2/frames.ts";
import { headerBlock } from "../../../support/http2/hpack.ts";
import type { Http2Case } from "../case.ts";
import { fields, GET, get, MALFORMED, POST, PROTOCOL_ERROR, post } from "./words.ts";

const OK = { status: [200] };
const answer = (text: string) => [`HTTP/1.1 ${text}`];
const BROKEN = { reset: [PROTOCOL_ERROR, 2, 8] };

/** Requests and answers between HTTP/2 and a target's HTTP/1.1. */
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
    name: "an answer in chunks",
    rfc: "9113 §8.2.2",
    send: [get()],
    upstream: {
      answers: answer("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    },
    ends: OK,
    body: "abc",
    lacks: [/transfer-encoding/i],
  },
  {
    name: "an answer until its connection's end",
    rfc: "9112 §6.3",
    send: [get()],
    upstream: { answers: answer("200 OK\r\n\r\nabc"), ending: "end" },
    ends: OK,
    body: "abc",
  },
  {
    name: "fields of a connection stay with it",
    rfc: "9113 §8.2.2",
    send: [get()],
    upstream: {
      answers: answer(
        "200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 1\r\nProxy-Connection: a\r\nUpgrade: h2c\r\nX-UPPER: 1\r\nContent-Length: 2\r\n\r\nok",
      ),
    },
    ends: OK,
    body: "ok",
    has: [/^x-upper: 1$/m],
    lacks: [/connection/, /keep-alive/, /upgrade/, /x-hop/, /[A-Z]+-UPPER/],
  },
  {
    name: "HEAD has a length and no body",
    rfc: "9110 §9.3.2",
    send: [headers(1, headerBlock(fields("HEAD", "/a")))],
    upstream: { answers: answer("200 OK\r\nContent-Length: 99\r\n\r\n") },
    ends: OK,
    body: "",
    has: [/^content-length: 99$/m],
  },
  {
    name: "204 has no body",
    rfc: "9110 §15.3.5",
    send: [get()],
    upstream: { answers: answer("204 No Content\r\n\r\n") },
    ends: { status: [204] },
    body: "",
  },
  {
    name: "304 keeps the length of what was not sent",
    rfc: "9110 §15.4.5",
    send: [get()],
    upstream: { answers: answer("304 Not Modified\r\nContent-Length: 99\r\nETag: a\r\n\r\n") },
    ends: { status: [304] },
    body: "",
    has: [/^etag: a$/m],
  },
  {
    name: "several Set-Cookie stay several",
    rfc: "9110 §5.3",
    send: [get()],
    upstream: {
      answers: answer("200 OK\r\nSet-Cookie: a=1, b\r\nSet-Cookie: c=2\r\nContent-Length: 2\r\n\r\nok"),
    },
    ends: OK,
    has: [/^set-cookie: a=1, b$/m, /^set-cookie: c=2$/m],
  },
  {
    name: "an answer that breaks off has no end",
    rfc: "9113 §8.1.1",
    send: [get()],
    upstream: { answers: answer("200 OK\r\nContent-Length: 9\r\n\r\nabc"), ending: "end" },
    ends: { ...OK, ...BROKEN },
    truncated: true,
    hits: 1,
  },
  {
    name: "an answer in chunks that breaks off has no end",
    rfc: "9113 §8.1.1",
    send: [get()],
    upstream: { answers: answer("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), ending: "end" },
    ends: { ...OK, ...BROKEN },
    truncated: true,
    hits: 1,
  },
  {
    name: "an answer that is no HTTP is 502",
    rfc: "9110 §15.6.3",
    send: [headers(1, POST())],
    upstream: { answers: ["nonsense\r\n\r\n"] },
    ends: { status: [502] },
    hits: 1,
  },
  {
    name: "an answer with a broken field is 502",
    rfc: "9112 §5",
    send: [headers(1, POST())],
    upstream: { answers: answer("200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok") },
    ends: { status: [502] },
    hits: 1,
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
  {
    name: "103 Early Hints are relayed over HTTP/2",
    rfc: "8297 §2",
    send: [get()],
    upstream: {
      answers: [
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ],
    },
    ends: OK,
    interim: [103],
  },
  {
    name: "trailers of an answer are relayed over HTTP/2",
    rfc: "9113 §8.1",
    send: [get(1, "/a", [["te", "trailers"]])],
    upstream: {
      answers: answer(
        "200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
      ),
    },
    ends: OK,
    body: "abc",
    has: [/^x-t: 1$/m],
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
