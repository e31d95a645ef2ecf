import { headers } from "../../../support/http2/frames.ts";
import { headerBlock } from "../../../support/http2/hpack.ts";
import type { Http2Case } from "../case.ts";
import { fields, get, POST, PROTOCOL_ERROR } from "./words.ts";

const OK = { status: [200] };
const answer = (text: string) => [`HTTP/1.1 ${text}`];
const BROKEN = { reset: [PROTOCOL_ERROR, 2, 8] };

/** Answers of a target's HTTP/1.1 as HTTP/2. */
export const ANSWERS: readonly Http2Case[] = [
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
];
