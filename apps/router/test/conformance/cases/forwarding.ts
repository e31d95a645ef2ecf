import type { Case } from "../case.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";
const answer = (fields: string) => ({
  answers: [`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`],
});

export const FORWARDING: readonly Case[] = [
  {
    name: "hop-by-hop fields of a request go no further",
    rfc: "9110 §7.6.1",
    send: `${GET}Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\n\r\n`,
    responses: [200],
    closed: "may",
    upstreamLacks: [
      /x-hop/i,
      /keep-alive: timeout/i,
      /proxy-connection/i,
      /proxy-authorization/i,
      /upgrade/i,
    ],
  },
  {
    name: "hop-by-hop fields of a response go no further",
    rfc: "9110 §7.6.1",
    send: `${GET}\r\n`,
    upstream: answer(
      "Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=9, max=7\r\nProxy-Authenticate: x\r\nProxy-Connection: x\r\nUpgrade: h2c\r\n",
    ),
    responses: [{ status: 200, lacks: [/x-hop/i, /max=7/, /proxy-/i, /upgrade/i] }],
  },
  {
    name: "a field named close goes no further, as its name is a connection option",
    rfc: "9112 §9.6",
    send: `${GET}Close: x\r\nConnection: close\r\n\r\n`,
    upstream: answer("Close: y\r\nConnection: close\r\n"),
    responses: [{ status: 200, lacks: [/close: y/i] }],
    closed: true,
    upstreamLacks: [/close: x/i],
  },
  {
    name: "Connection cannot name away what the router says",
    rfc: "9110 §7.6.1",
    send: `${GET}Connection: X-Forwarded-For, X-Request-Id, Via, Host, Forwarded\r\n\r\n`,
    responses: [200],
    upstreamHas: [
      /x-forwarded-for: 127/i,
      /x-request-id: /i,
      /via: 1\.1 /i,
      /\r\nhost: a\r\n/i,
      /forwarded: for=/i,
    ],
  },
  {
    name: "Connection cannot name away the framing",
    rfc: "9110 §7.6.1",
    send: "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length, Transfer-Encoding\r\nContent-Length: 3\r\n\r\nabc",
    responses: [200],
    upstreamHas: [/content-length: 3\r\n/i],
  },
  {
    name: "TE goes on as trailers alone",
    rfc: "9110 §10.1.4",
    send: `${GET}Connection: TE\r\nTE: gzip, trailers\r\n\r\n`,
    responses: [200],
    upstreamHas: [/\r\nTE: trailers\r\n/i],
  },
  {
    name: "TE without trailers goes no further",
    rfc: "9110 §10.1.4",
    send: `${GET}Connection: TE\r\nTE: gzip;q=0.5\r\n\r\n`,
    responses: [200],
    upstreamLacks: [/\r\nTE:/i],
  },
  {
    name: "what an untrusted client claims about itself is replaced",
    rfc: "7239 §8.1",
    send: `${GET}X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n`,
    responses: [200],
    upstreamHas: [
      /x-forwarded-for: 127\.0\.0\.1\r\n/i,
      (scheme) => new RegExp(`x-forwarded-proto: ${scheme}\r\n`, "i"),
      /x-forwarded-host: a\r\n/i,
    ],
    upstreamLacks: [/6\.6\.6\.6/, /evil/],
  },
  {
    name: "what a trusted client says is appended to",
    rfc: "7239 §4",
    config: () => ({ trusted_proxies: ["127.0.0.1/32"] }),
    send: `${GET}X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n\r\n`,
    responses: [200],
    upstreamHas: [
      /x-forwarded-for: 6\.6\.6\.6, 127\.0\.0\.1\r\n/i,
      /x-forwarded-proto: https\r\n/i,
      /\r\nforwarded: for=6\.6\.6\.6, for=127\.0\.0\.1/i,
    ],
  },
  {
    name: "Via is appended to, both ways",
    rfc: "9110 §7.6.3",
    send: `${GET}Via: 1.0 before\r\n\r\n`,
    upstream: answer("Via: 1.0 behind\r\n"),
    responses: [{ status: 200, has: [/\r\nVia: 1\.0 behind, 1\.1 \S+\r\n/i] }],
    upstreamHas: [/\r\nVia: 1\.0 before, 1\.1 \S+\r\n/i],
  },
  {
    name: "a response without a Date gets one",
    rfc: "9110 §6.6.1",
    send: `${GET}\r\n`,
    responses: [{ status: 200, has: [/\r\nDate: \w{3}, \d\d \w{3} \d{4} /] }],
  },
  {
    name: "a response's Date stays",
    rfc: "9110 §6.6.1",
    send: `${GET}\r\n`,
    upstream: answer("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
    responses: [{ status: 200, has: [/\r\nDate: Sun, 06 Nov 1994/], lacks: [/Date:[\s\S]*Date:/] }],
  },
  {
    name: "an HTTP/1.1 request goes on as HTTP/1.1 over a kept connection",
    rfc: "9112 §9.3",
    send: `${GET}\r\n`,
    responses: [200],
    upstreamLacks: [/connection: close/i],
  },
  {
    name: "a HEAD's answer has no body but its length",
    rfc: "9110 §9.3.2",
    send: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    upstream: { answers: ["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"] },
    responses: [{ status: 200, body: "", has: ["Content-Length: 1000\r\n"] }],
  },
  {
    name: "a HEAD's answer that would be chunked",
    rfc: "9110 §9.3.2",
    send: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    upstream: { answers: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] },
    responses: [{ status: 200, body: "" }],
  },
  {
    name: "a 204 has no body and no length",
    rfc: "9110 §15.3.5",
    send: `${GET}\r\n`,
    upstream: { answers: ["HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"] },
    responses: [{ status: 204, body: "", lacks: [/content-length/i, /transfer-encoding/i] }],
  },
  {
    name: "a 304 has no body, whatever length it states",
    rfc: "9110 §15.4.5",
    send: `${GET}\r\n`,
    upstream: { answers: ["HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: x\r\n\r\n"] },
    responses: [{ status: 304, body: "", has: ["ETag: x\r\n", "Content-Length: 1000\r\n"] }],
  },
  {
    name: "an empty reason phrase",
    rfc: "9112 §4",
    send: `${GET}\r\n`,
    upstream: { answers: ["HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok"] },
    responses: [{ status: 299, body: "ok" }],
  },
  {
    name: "response trailers are relayed",
    rfc: "9110 §6.5",
    send: `${GET}Connection: TE\r\nTE: trailers\r\n\r\n`,
    upstream: {
      answers: [
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
      ],
    },
    responses: [{ status: 200, body: "ok", has: [/^X-Sum: 1\r\n/m] }],
  },
  {
    name: "103 Early Hints are relayed",
    rfc: "8297 §2",
    send: `${GET}\r\n`,
    upstream: {
      answers: [
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ],
    },
    interim: [103],
    responses: [{ status: 200, body: "ok" }],
  },
  {
    name: "a 100 that nobody asked for does not take the answer's place",
    rfc: "9110 §15.2",
    send: `${GET}\r\n`,
    upstream: { answers: ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] },
    responses: [{ status: 200, body: "ok" }],
  },
];
