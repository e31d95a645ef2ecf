import type { Case } from "../case.ts";

const POST = "POST /x HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
/** What a smuggler hides behind a body. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** A request that is refused, with the connection closed and nothing upstream. */
function refused(name: string, rfc: string, send: string, status: number | readonly number[] = 400): Case {
  return { name, rfc, send, responses: [{ status }], closed: true, hits: 0 };
}

/** A body that breaks off after its head was forwarded: 400, and the upstream request is aborted. */
function broken(name: string, body: string, rfc = "9112 §7.1"): Case {
  return {
    name,
    rfc,
    send: [`${CHUNKED}3\r\nabc\r\n`, body],
    responses: [400],
    closed: true,
    hits: 1,
    aborted: true,
  };
}

export const REQUEST_FRAMING: readonly Case[] = [
  refused(
    "Content-Length with Transfer-Encoding",
    "9112 §6.3",
    `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ),
  refused(
    "Transfer-Encoding with Content-Length",
    "9112 §6.3",
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ),
  refused(
    "two different Content-Lengths",
    "9112 §6.3",
    `${POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`,
  ),
  refused(
    "two equal Content-Lengths",
    "9112 §6.3",
    `${POST}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
  ),
  refused("a list of Content-Lengths", "9112 §6.3", `${POST}Content-Length: 4, 4\r\n\r\nabcd`),
  refused("a Content-Length with a plus sign", "9110 §8.6", `${POST}Content-Length: +4\r\n\r\nabcd`),
  refused("a negative Content-Length", "9110 §8.6", `${POST}Content-Length: -4\r\n\r\nabcd`),
  refused("a hexadecimal Content-Length", "9110 §8.6", `${POST}Content-Length: 0x4\r\n\r\nabcd`),
  refused("an empty Content-Length", "9110 §8.6", `${POST}Content-Length: \r\n\r\n`),
  refused("a Content-Length with a space inside", "9110 §8.6", `${POST}Content-Length: 1 0\r\n\r\nabcd`),
  refused(
    "a Content-Length past 64 bits",
    "9110 §8.6",
    `${POST}Content-Length: 99999999999999999999\r\n\r\nabcd`,
    [400, 413],
  ),
  refused(
    "Transfer-Encoding: identity",
    "9112 §7",
    `${POST}Transfer-Encoding: identity\r\n\r\nabcd`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding: gzip",
    "9112 §6.1",
    `${POST}Transfer-Encoding: gzip\r\n\r\n${SMUGGLED}`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding: gzip, chunked",
    "9112 §6.1",
    `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding: chunked, gzip",
    "9112 §6.3",
    `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding: chunked, chunked",
    "9112 §6.1",
    `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    "two Transfer-Encoding fields",
    "9112 §6.1",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    "chunked beside identity in another field",
    "9112 §6.1",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding: xchunked",
    "9112 §6.1",
    `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ),
  refused("an empty Transfer-Encoding", "9112 §6.1", `${POST}Transfer-Encoding: \r\n\r\n0\r\n\r\n`),
  refused(
    "Transfer-Encoding with a vertical tab",
    "9112 §5",
    `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    "Transfer-Encoding with a no-break space, which JavaScript trims",
    "9112 §6.1",
    `${POST}Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding with a tab behind chunked",
    "9112 §6.1",
    `${POST}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  ),
  refused(
    "a quoted chunked",
    "9112 §6.1",
    `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ),
  refused(
    "chunked with a parameter",
    "9112 §7",
    `${POST}Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ),
  refused(
    "Transfer-Encoding in HTTP/1.0",
    "9112 §6.1",
    "POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n",
  ),
  broken("a chunk size that is no number", "xyz\r\nabc\r\n"),
  broken("a signed chunk size", "+3\r\nabc\r\n"),
  broken("a chunk size with 0x", "0x3\r\nabc\r\n"),
  broken("an empty chunk size", "\r\nabc\r\n"),
  broken("a chunk size past 64 bits", "fffffffffffffffff\r\nabc\r\n"),
  broken("a space after the chunk size", "3 \r\nabc\r\n0\r\n\r\n"),
  broken("a chunk longer than its size", "3\r\nabcdef\r\n0\r\n\r\n"),
  broken("chunk data without CR", "3\r\nabc\n0\r\n\r\n", "9112 §7.1"),
  broken("a chunk size line that ends in LF alone", "3\nabc\r\n0\r\n\r\n"),
  broken("a bare CR in a chunk extension", "3;a=\rb\r\nabc\r\n0\r\n\r\n", "9112 §7.1.1"),
  broken("a bare LF in a chunk extension", "3;a\nabc\r\n0\r\n\r\n", "9112 §7.1.1"),
  broken("an empty chunk extension", "3;\r\nabc\r\n0\r\n\r\n", "9112 §7.1.1"),
  broken("a chunk extension with a quote left open", '3;a="b\r\nabc\r\n0\r\n\r\n', "9112 §7.1.1"),
  broken("a chunk extension without end", `3;${"a".repeat(20_000)}`, "9112 §7.1.1"),
  broken("a trailer section without end", `0\r\n${"aaaaaaaa: bbbbbbbb\r\n".repeat(5000)}`, "9112 §7.1.2"),
  broken("a trailer that is Content-Length", "0\r\nContent-Length: 5\r\n\r\n", "9110 §6.5.1"),
  broken("a trailer that is Transfer-Encoding", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "9110 §6.5.1"),
  broken("a trailer that is no field", "0\r\nno field\r\n\r\n", "9112 §7.1.2"),
  {
    name: "chunks of several sizes, with an extension, arrive as one body",
    rfc: "9112 §7.1",
    send: [`${CHUNKED}3;x="y"\r\nabc\r\n`, "00A\r\n0123456789\r\n", "0\r\n\r\n"],
    responses: [200],
    upstreamHas: [/transfer-encoding: chunked/i, "abc", "0123456789"],
    upstreamLacks: [/content-length/i, "x="],
  },
  {
    name: "Transfer-Encoding: Chunked in another case",
    rfc: "9112 §7",
    send: `${POST}Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    responses: [200],
    upstreamHas: [/transfer-encoding: chunked\r\n/i],
  },
  {
    name: "a chunked DELETE keeps its framing (http-proxy #1721)",
    rfc: "9112 §6.3",
    send: `DELETE /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    responses: [200],
    upstreamHas: [/transfer-encoding: chunked/i],
    upstreamLacks: [/content-length/i],
  },
  {
    name: "a chunked OPTIONS keeps its framing (http-proxy #1721)",
    rfc: "9112 §6.3",
    send: `OPTIONS /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    responses: [200],
    upstreamHas: [/transfer-encoding: chunked/i],
    upstreamLacks: [/content-length/i],
  },
  {
    name: "a GET with a body keeps it",
    rfc: "9110 §9.3.1",
    send: `GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    responses: [200],
    upstreamHas: [`Content-Length: ${SMUGGLED.length}\r\n`],
  },
  {
    name: "a GET with a chunked body keeps it",
    rfc: "9110 §9.3.1",
    send: "GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    responses: [200],
    upstreamHas: [/transfer-encoding: chunked/i, "abc"],
  },
  {
    name: "a POST without a body says so",
    rfc: "9110 §8.6",
    send: `${POST}\r\n`,
    responses: [200],
    upstreamHas: [/content-length: 0\r\n/i],
    upstreamLacks: [/transfer-encoding/i],
  },
  {
    name: "a Content-Length with leading zeros is that number",
    rfc: "9110 §8.6",
    send: `${POST}Content-Length: 0004\r\n\r\nabcd`,
    responses: [200],
    upstreamHas: ["abcd"],
  },
  {
    name: "trailers never become header fields",
    rfc: "9110 §6.5.1",
    send: [`${CHUNKED}3\r\nabc\r\n0\r\nX-Smuggled: 1\r\n`, "Authorization: x\r\n\r\n"],
    responses: [200],
    upstreamHas: ["abc"],
    upstreamLacks: [/(?:x-smuggled|authorization)[\s\S]*\r\n\r\n3\r\n/i],
  },
  {
    name: "request trailers are relayed",
    rfc: "9110 §6.5",
    send: `${POST}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`,
    responses: [200],
    upstreamHas: [/\r\n0\r\nX-Sum: 1\r\n\r\n/i],
  },
];
