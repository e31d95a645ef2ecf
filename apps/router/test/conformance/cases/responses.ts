import type { Case } from "../case.ts";

const send = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\n";

/** An answer in doubt: 502, and the client's connection goes on. No retry, or it would be asked twice. */
function doubtful(name: string, rfc: string, answer: string, ending?: "end"): Case {
  const upstream = { answers: [answer], ...(ending ? { ending } : {}) };
  return {
    name,
    rfc,
    send,
    config: ({ retry }) => ({ retry: { ...retry, attempts: 0 } }),
    upstream,
    responses: [{ status: 502, has: [/application\/problem\+json/] }],
    hits: 1,
  };
}

/** An answer that breaks off: the client must be able to see it. */
function truncated(name: string, answer: string, ending: "end" | "reset", rfc = "9112 §8"): Case {
  return {
    name,
    rfc,
    send,
    upstream: { answers: [answer], ending },
    responses: [{ status: 200, truncated: true }],
    closed: true,
    hits: 1,
  };
}

export const RESPONSES: readonly Case[] = [
  doubtful(
    "an answer with Content-Length and Transfer-Encoding",
    "9112 §6.3",
    `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ),
  doubtful(
    "an answer with two Content-Lengths",
    "9112 §6.3",
    `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!`,
  ),
  doubtful("an answer with a list of Content-Lengths", "9112 §6.3", `${OK}Content-Length: 2, 3\r\n\r\nok!`),
  doubtful("an answer with a signed Content-Length", "9112 §6.3", `${OK}Content-Length: +2\r\n\r\nok`),
  doubtful(
    "an answer with Transfer-Encoding: gzip",
    "9112 §6.1",
    `${OK}Transfer-Encoding: gzip\r\n\r\nok`,
    "end",
  ),
  doubtful(
    "an answer with a no-break space in Transfer-Encoding, which JavaScript trims",
    "9112 §6.1",
    `${OK}Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n`,
  ),
  doubtful(
    "an answer with Transfer-Encoding: gzip, chunked",
    "9112 §6.1",
    `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  ),
  doubtful(
    "an answer with chunked twice",
    "9112 §6.1",
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  doubtful(
    "an HTTP/1.0 answer with Transfer-Encoding",
    "9112 §6.1",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ),
  doubtful("an answer with a space before the colon", "9112 §5.1", `${OK}Content-Length : 2\r\n\r\nok`),
  doubtful("an answer with a NUL", "9110 §5.5", `${OK}X-A: b\x00c\r\nContent-Length: 2\r\n\r\nok`),
  doubtful("an answer with a bare CR", "9112 §2.2", `${OK}X-A: b\rc\r\nContent-Length: 2\r\n\r\nok`),
  doubtful("an answer with a bare LF", "9112 §2.2", `${OK}X-A: b\nContent-Length: 2\r\n\r\nok`),
  doubtful("an answer with a line without a colon", "9112 §5", `${OK}X-A\r\nContent-Length: 2\r\n\r\nok`),
  doubtful("an answer that is no HTTP", "9112 §4", "hello\r\n\r\n"),
  doubtful("an answer of HTTP/2.0", "9112 §2.3", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  doubtful("an answer of HTTP/1.2", "9112 §2.3", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  doubtful("a status of two digits", "9112 §4", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
  doubtful("a status of four digits", "9112 §4", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"),
  doubtful("a status below 100", "9110 §15", "HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok"),
  doubtful("a status above 599", "9110 §15", "HTTP/1.1 600 High\r\nContent-Length: 2\r\n\r\nok"),
  doubtful(
    "a control character in the reason",
    "9112 §4",
    "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok",
  ),
  doubtful(
    "a 101 that nobody asked for",
    "9110 §7.8",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
  ),
  doubtful("an answer's header over the limit", "9112 §4", `${OK}X-A: ${"b".repeat(70_000)}\r\n\r\n`),
  doubtful("an end before any byte", "9112 §8", "", "end"),
  doubtful("an end inside the status line", "9112 §8", "HTTP/1.1 2", "end"),
  doubtful("an end inside the header", "9112 §8", `${OK}Content-Le`, "end"),
  {
    name: "a folded field in an answer is refused or unfolded",
    rfc: "9112 §5.2",
    send,
    upstream: { answers: [`${OK}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok`] },
    responses: [{ status: [200, 502], lacks: [/X-A: b\r\n c/] }],
    hits: 1,
  },
  truncated("an end before Content-Length is reached", `${OK}Content-Length: 10\r\n\r\nabc`, "end"),
  truncated("a reset before Content-Length is reached", `${OK}Content-Length: 10\r\n\r\nabc`, "reset"),
  truncated("an end inside a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\na\r\nabc`, "end"),
  truncated("a reset inside a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\na\r\nabc`, "reset"),
  truncated("an end between chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, "end"),
  truncated(
    "an end before the last empty line",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n`,
    "end",
  ),
  truncated(
    "a malformed chunk",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n`,
    "end",
    "9112 §7.1",
  ),
  {
    name: "an end before Content-Length, seen by an HTTP/1.0 client",
    rfc: "9112 §8",
    send: "GET /x HTTP/1.0\r\nHost: a\r\n\r\n",
    upstream: { answers: [`${OK}Transfer-Encoding: chunked\r\n\r\na\r\nabc`], ending: "end" },
    responses: [{ status: 200, truncated: true }],
    closed: true,
    hits: 1,
  },
  {
    name: "a body that lasts until the end of the connection",
    rfc: "9112 §6.3",
    send,
    upstream: { answers: [`${OK}X-A: b\r\n\r\nabcdef`], ending: "end" },
    responses: [{ status: 200, body: "abcdef" }],
  },
  {
    name: "an HTTP/1.0 answer",
    rfc: "9112 §2.3",
    send,
    upstream: { answers: ["HTTP/1.0 200 OK\r\n\r\nabcdef"], ending: "end" },
    responses: [{ status: 200, body: "abcdef", has: [/^HTTP\/1\.1 200/] }],
  },
  {
    name: "an answer with Connection: close",
    rfc: "9112 §9.6",
    send,
    upstream: { answers: [`${OK}Connection: close\r\nContent-Length: 2\r\n\r\nok`], ending: "end" },
    responses: [{ status: 200, body: "ok", lacks: [/connection: close/i] }],
  },
  {
    name: "bytes after the end of an answer are nobody's",
    rfc: "9112 §6.3",
    send: send + send,
    upstream: {
      answers: [
        `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
        `${OK}Content-Length: 2\r\n\r\nok`,
      ],
    },
    responses: [
      { status: 200, body: "ok" },
      { status: 200, body: "ok" },
    ],
  },
  {
    name: "garbage after the end of an answer is nobody's",
    rfc: "9112 §6.3",
    send: send + send,
    upstream: { answers: [`${OK}Content-Length: 2\r\n\r\nokgarbage`, `${OK}Content-Length: 2\r\n\r\nok`] },
    responses: [
      { status: 200, body: "ok" },
      { status: 200, body: "ok" },
    ],
  },
  {
    name: "a body after a 204 is nobody's",
    rfc: "9112 §6.3",
    send: send + send,
    upstream: {
      answers: [
        "HTTP/1.1 204 No Content\r\nContent-Length: 48\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil12345",
        `${OK}Content-Length: 2\r\n\r\nok`,
      ],
    },
    responses: [{ status: 204 }, { status: 200, body: "ok" }],
  },
  {
    name: "chunks arrive as one body",
    rfc: "9112 §7.1",
    send,
    upstream: { answers: [`${OK}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`] },
    responses: [{ status: 200, body: "abcdef" }],
  },
  {
    name: "an error of the upstream's own passes unchanged",
    rfc: "9110 §15.6",
    send,
    upstream: { answers: ["HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy"] },
    responses: [{ status: 503, body: "busy", has: [/^HTTP\/1\.1 503 Busy\r\n/, "Retry-After: 7\r\n"] }],
    hits: 1,
  },
];
