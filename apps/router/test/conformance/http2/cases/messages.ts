import { data, headers } from "../../../support/http2/frames.ts";
import { type Fields, headerBlock } from "../../../support/http2/hpack.ts";
import type { Http2Case } from "../case.ts";
import { fields, get, MALFORMED, POST, PROTOCOL_ERROR, post, REFUSED } from "./words.ts";

const OK = { status: [200] };
const BASE = Object.fromEntries(fields("GET", "/a"));
/** A request with other pseudo-fields, in the order given; undefined leaves one out. */
const pseudo = (changes: Readonly<Record<string, string | undefined>>, more: Fields = []): Buffer => {
  const all = Object.entries({ ...BASE, ...changes });
  const block = all.flatMap(([name, value]): Fields => (value === undefined ? [] : [[name, value]]));
  return headers(1, headerBlock([...block, ...more]));
};

const malformed = (name: string, rfc: string, request: Buffer, ends = MALFORMED): Http2Case => ({
  name,
  rfc,
  send: [request],
  ends,
});

const dropped = (name: string, field: readonly [string, string]): Http2Case => ({
  name,
  rfc: "9113 §8.2.1",
  send: [get(1, "/a", [field])],
  ends: { ...MALFORMED, status: [400, 200] },
  hits: "any",
  upstreamLacks: [/canary/, /\r\nb/],
});

/** Requests that are no requests: each is an error of its stream, and nothing of it reaches a target. */
export const MESSAGES: readonly Http2Case[] = [
  ...[":method", ":scheme", ":path"].map((name) =>
    malformed(`a request without ${name}`, "9113 §8.3.1", pseudo({ [name]: undefined })),
  ),
  ...[":method", ":scheme", ":path", ":authority"].map((name) =>
    malformed(`a request with ${name} twice`, "9113 §8.3", pseudo({}, [[name, BASE[name]!]])),
  ),
  malformed("an empty :path", "9113 §8.3.1", pseudo({ ":path": "" })),
  malformed("an empty :method", "9113 §8.3.1", pseudo({ ":method": "" }), REFUSED),
  malformed("a pseudo-field of answers", "9113 §8.3", pseudo({}, [[":status", "200"]])),
  malformed("a pseudo-field that nobody knows", "9113 §8.3", pseudo({}, [[":color", "blue"]])),
  malformed(
    "a pseudo-field behind another field",
    "9113 §8.3",
    headers(1, headerBlock([["x-a", "1"], ...fields("GET", "/a")])),
  ),
  malformed("a field with an upper-case name", "9113 §8.2.1", get(1, "/a", [["X-Upper", "1"]])),
  // Node's HTTP/2 drops such a field before anybody sees it, and passes on the rest.
  ...["x a", "x:a", "x\r\na", "x\0", "", "x\u00e4", "x\ta"].map((name) =>
    dropped(`a field with the name ${JSON.stringify(name)} goes nowhere`, [name, "canary"]),
  ),
  ...["canary\r\nb: c", "canary\nb", "canary\rb", "canary\0b"].map((value) =>
    dropped(`a field with the value ${JSON.stringify(value)} goes nowhere`, ["x-a", value]),
  ),
  ...[
    ["connection", "close"],
    ["connection", "x-a"],
    ["keep-alive", "1"],
    ["proxy-connection", "keep-alive"],
    ["transfer-encoding", "chunked"],
    ["transfer-encoding", "identity"],
    ["upgrade", "websocket"],
    ["te", "gzip"],
    ["te", "trailers, deflate"],
  ].map(([name, value]) =>
    malformed(`a request with ${name}: ${value}`, "9113 §8.2.2", get(1, "/a", [[name!, value!]])),
  ),
  {
    name: "transfer-encoding with a body that holds another request",
    rfc: "9113 §8.2.2",
    send: [
      Buffer.concat([
        post(1, [["transfer-encoding", "chunked"]]),
        data(1, "0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"),
      ]),
    ],
    ends: MALFORMED,
    upstreamLacks: [/GET \/b/],
  },
  ...[
    "/a b",
    "/a\tb",
    "/a\r\nx: y",
    "/a HTTP/1.1\r\nHost: b\r\n\r\nGET /b",
    "/a\0",
    "/a#b",
    "a",
    "http://b/a",
    "/\u00e4",
    "*",
  ].map((path) =>
    malformed(`a :path of ${JSON.stringify(path)}`, "9113 §8.3.1", pseudo({ ":path": path }), REFUSED),
  ),
  // nghttp2 looks at a path only where the scheme is http or https.
  ...["http://b/a", "*", "b/a"].map((path) =>
    malformed(
      `a :path of ${JSON.stringify(path)} with a :scheme of its own`,
      "9113 §8.3.1",
      pseudo({ ":scheme": "ftp", ":path": path }),
      REFUSED,
    ),
  ),
  ...["a b", "a\r\nx: y", "u@a", "a/b", "a, b", "a#b", "a:b", "[::1", ""].map((authority) =>
    malformed(
      `an :authority of ${JSON.stringify(authority)}`,
      "9113 §8.3.1",
      pseudo({ ":authority": authority }),
      REFUSED,
    ),
  ),
  ...["GE T", "GET /b HTTP/1.1\r\nHost: b\r\n\r\nGET", "G\0", "G(T"].map((method) =>
    malformed(`a :method of ${JSON.stringify(method)}`, "9110 §9.1", pseudo({ ":method": method }), REFUSED),
  ),
  malformed("a host that is not the :authority", "9113 §8.3.1", get(1, "/a", [["host", "b"]])),
  malformed(
    "two hosts",
    "9113 §8.3.1",
    pseudo({ ":authority": undefined }, [
      ["host", "a"],
      ["host", "b"],
    ]),
  ),
  malformed("neither :authority nor host", "9113 §8.3.1", pseudo({ ":authority": undefined })),
  malformed(
    "CONNECT",
    "9113 §8.5",
    headers(
      1,
      headerBlock([
        [":method", "CONNECT"],
        [":authority", "a:80"],
      ]),
    ),
    REFUSED,
  ),
  malformed(
    "an extended CONNECT that nobody offered",
    "8441 §4",
    pseudo({ ":method": "CONNECT", ":protocol": "websocket" }),
    REFUSED,
  ),
  {
    name: "a body shorter than its length",
    rfc: "9113 §8.1.1",
    send: [post(1, [["content-length", "9"]]), data(1, "abc")],
    ends: MALFORMED,
    hits: 1,
    aborted: true,
  },
  {
    name: "a body longer than its length",
    rfc: "9113 §8.1.1",
    send: [post(1, [["content-length", "2"]]), data(1, "abcGET /b HTTP/1.1\r\n\r\n")],
    ends: { ...MALFORMED, goaway: [PROTOCOL_ERROR, 2] },
    hits: 1,
    aborted: true,
    upstreamLacks: [/GET \/b/],
  },
  {
    name: "a length and no body",
    rfc: "9113 §8.1.1",
    send: [headers(1, POST("/a", [["content-length", "3"]]))],
    ends: MALFORMED,
  },
  ...["a", "-1", "+1", "1, 1", "1e3", "0x3", "99999999999999999999"].map((length) =>
    malformed(
      `a length of ${length}`,
      "9110 §8.6",
      Buffer.concat([post(1, [["content-length", length]]), data(1, "abc")]),
      REFUSED,
    ),
  ),
  malformed(
    "two lengths",
    "9110 §8.6",
    Buffer.concat([
      post(1, [
        ["content-length", "3"],
        ["content-length", "4"],
      ]),
      data(1, "abc"),
    ]),
    REFUSED,
  ),
  {
    name: "HEADERS amid a body that do not end it",
    rfc: "9113 §8.1",
    send: [
      Buffer.concat([
        post(),
        data(1, "abc", { end: false }),
        headers(1, headerBlock([["x-t", "1"]]), { end: false }),
      ]),
    ],
    ends: { reset: [PROTOCOL_ERROR], goaway: [PROTOCOL_ERROR] },
    hits: "any",
  },
  {
    name: "a pseudo-field in trailers",
    rfc: "9113 §8.1",
    send: [
      Buffer.concat([post(), data(1, "abc", { end: false }), headers(1, headerBlock([[":path", "/b"]]))]),
    ],
    ends: { reset: [PROTOCOL_ERROR], goaway: [PROTOCOL_ERROR], status: [400] },
    hits: "any",
    upstreamLacks: [/\/b/],
  },
  {
    name: "te: trailers is no fault",
    rfc: "9113 §8.2.2",
    send: [get(1, "/a", [["te", "trailers"]])],
    ends: OK,
  },
];
