import type { Case } from "../case.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";

function refused(name: string, rfc: string, send: string, status: number | readonly number[] = 400): Case {
  return { name, rfc, send, responses: [{ status }], closed: true, hits: 0 };
}

export const FIELDS: readonly Case[] = [
  refused("a space before the colon", "9112 §5.1", `${GET}X-A : b\r\n\r\n`),
  refused("a tab before the colon", "9112 §5.1", `${GET}X-A\t: b\r\n\r\n`),
  refused("a space before the first field", "9112 §2.2", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
  refused("a folded field", "9112 §5.2", `${GET}X-A: b\r\n c\r\n\r\n`),
  refused("a field folded with a tab", "9112 §5.2", `${GET}X-A: b\r\n\tc\r\n\r\n`),
  refused(
    "a fold that hides Transfer-Encoding",
    "9112 §5.2",
    `${GET}X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n`,
  ),
  refused("a bare CR in a value", "9112 §2.2", `${GET}X-A: b\rc\r\n\r\n`),
  refused("a bare CR before a field", "9112 §2.2", `${GET}\rX-A: b\r\n\r\n`),
  refused("a line that ends in LF alone", "9112 §2.2", `${GET}X-A: b\nX-B: c\r\n\r\n`),
  refused("a request line that ends in LF alone", "9112 §2.2", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
  refused("a head that ends in LF alone", "9112 §2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
  refused("LF alone throughout", "9112 §2.2", "GET / HTTP/1.1\nHost: a\n\n"),
  refused("CR alone throughout", "9112 §2.2", "GET / HTTP/1.1\rHost: a\r\r"),
  refused("a NUL in a value", "9110 §5.5", `${GET}X-A: b\x00c\r\n\r\n`),
  refused("a NUL in a name", "9110 §5.1", `${GET}X\x00A: b\r\n\r\n`),
  refused("a control character in a value", "9110 §5.5", `${GET}X-A: b\x01c\r\n\r\n`),
  refused("DEL in a value", "9110 §5.5", `${GET}X-A: b\x7fc\r\n\r\n`),
  refused("a line without a colon", "9112 §5", `${GET}X-A\r\n\r\n`),
  refused("an empty field name", "9112 §5", `${GET}: b\r\n\r\n`),
  refused("a field name with a bracket", "9110 §5.1", `${GET}X(A): b\r\n\r\n`),
  refused("a field name above 127", "9110 §5.1", `${GET}X\xe9: b\r\n\r\n`),
  refused("a header over the limit", "6585 §5", `${GET}X-A: ${"b".repeat(17_000)}\r\n\r\n`, 431),
  refused("more fields than the limit", "6585 §5", `${GET}${"X-A: b\r\n".repeat(100)}\r\n`, 431),
  {
    name: "as many fields as the limit",
    rfc: "9110 §5.4",
    send: `${GET}${"X-A: b\r\n".repeat(99)}\r\n`,
    responses: [200],
    upstreamHas: [/(?:X-A: b\r\n){99}/],
  },
  {
    name: "bytes above 127 in a value pass unchanged",
    rfc: "9110 §5.5",
    send: `${GET}X-A: \xe9\xff\x80\r\n\r\n`,
    upstream: { answers: ["HTTP/1.1 200 OK\r\nX-B: \xe9\xff\x80\r\nContent-Length: 0\r\n\r\n"] },
    responses: [{ status: 200, has: ["X-B: \xe9\xff\x80\r\n"] }],
    upstreamHas: ["X-A: \xe9\xff\x80\r\n"],
  },
  {
    name: "names keep their case, repeated fields their order",
    rfc: "9110 §5.3",
    send: `${GET}x-LOWER: 1\r\nX-Re: a\r\nX-Re: b\r\n\r\n`,
    upstream: {
      answers: ["HTTP/1.1 200 OK\r\nx-LOWER: 1\r\nX-Re: a\r\nX-Re: b\r\nContent-Length: 0\r\n\r\n"],
    },
    responses: [{ status: 200, has: ["x-LOWER: 1\r\nX-Re: a\r\nX-Re: b\r\n"] }],
    upstreamHas: ["x-LOWER: 1\r\nX-Re: a\r\nX-Re: b\r\n"],
  },
  {
    name: "white space around a value is not part of it",
    rfc: "9112 §5.1",
    send: `${GET}X-A: \t b \t\r\nX-B:c\r\n\r\n`,
    responses: [200],
    upstreamHas: ["X-A: b\r\n", "X-B: c\r\n"],
  },
  {
    name: "an empty value passes",
    rfc: "9110 §5.5",
    send: `${GET}X-A:\r\n\r\n`,
    responses: [200],
    upstreamHas: [/X-A: ?\r\n/],
  },
  {
    name: "each Set-Cookie stays a field of its own",
    rfc: "9110 §5.3",
    send: `${GET}\r\n`,
    upstream: {
      answers: ["HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"],
    },
    responses: [{ status: 200, has: ["Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"] }],
  },
];
