import type { Case } from "../case.ts";

function refused(name: string, rfc: string, send: string, status: number | readonly number[] = 400): Case {
  return { name, rfc, send, responses: [{ status }], closed: true, hits: 0 };
}

/** A target that reaches the upstream byte for byte. */
function kept(target: string, method = "GET"): Case {
  return {
    name: `the target ${target.length > 60 ? `of ${target.length} bytes` : target} passes byte for byte`,
    rfc: "9112 §3.2.1",
    send: `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
    responses: [200],
    upstreamHas: [`${method} ${target} HTTP/1.1\r\n`],
  };
}

const HOST = "Host: a\r\n\r\n";

export const REQUEST_LINE: readonly Case[] = [
  kept("//a//b"),
  kept("/a;b=c/d"),
  kept("/a%2Fb%2f%00"),
  kept("/a/../b/./c"),
  kept("/?"),
  kept("/??a?=b&&c"),
  kept("/a|b\\c^d`e{f}\"<>'"),
  kept("/http://b/c"),
  kept(`/${"a".repeat(8000)}`),
  kept("*", "OPTIONS"),
  refused("a fragment in the target", "9112 §3.2", `GET /a#b HTTP/1.1\r\n${HOST}`),
  refused("a target that is no path", "9112 §3.2", `GET a HTTP/1.1\r\n${HOST}`),
  refused("GET *", "9112 §3.2.4", `GET * HTTP/1.1\r\n${HOST}`),
  refused("a space in the target", "9112 §3.2", `GET /a b HTTP/1.1\r\n${HOST}`),
  refused("two spaces after the method", "9112 §3", `GET  / HTTP/1.1\r\n${HOST}`),
  refused("a tab after the method", "9112 §3", `GET\t/ HTTP/1.1\r\n${HOST}`),
  refused("a control character in the target", "9112 §3.2", `GET /a\x01b HTTP/1.1\r\n${HOST}`),
  refused("a NUL in the target", "9112 §3.2", `GET /a\x00b HTTP/1.1\r\n${HOST}`),
  refused("a byte above 127 in the target", "3986 §2", `GET /\xc3\xbc HTTP/1.1\r\n${HOST}`),
  refused("an empty target", "9112 §3.2", `GET  HTTP/1.1\r\n${HOST}`),
  refused("another scheme", "9112 §3.2.2", `GET ftp://b/ HTTP/1.1\r\n${HOST}`),
  refused("an absolute target without a host", "9110 §4.2.1", `GET http:///x HTTP/1.1\r\n${HOST}`),
  refused("an absolute target with a user", "9110 §4.2.4", `GET http://u@b/x HTTP/1.1\r\n${HOST}`),
  refused(
    "a target over the limit of the header",
    "9112 §3",
    `GET /${"a".repeat(20_000)} HTTP/1.1\r\n${HOST}`,
    [414, 431],
  ),
  {
    name: "an absolute target overrides Host",
    rfc: "9112 §3.2.2",
    send: `GET http://b:81/x?y=http://c/ HTTP/1.1\r\n${HOST}`,
    responses: [200],
    upstreamHas: ["GET /x?y=http://c/ HTTP/1.1\r\n", /\r\nHost: b:81\r\n/],
    upstreamLacks: [/\r\nHost: a\r\n/],
  },
  {
    name: "an absolute target without a path is /",
    rfc: "9112 §3.2.1",
    send: `GET http://b?q HTTP/1.1\r\n${HOST}`,
    responses: [200],
    upstreamHas: ["GET /?q HTTP/1.1\r\n"],
  },
  {
    name: "OPTIONS for a whole server in absolute form",
    rfc: "9112 §3.2.4",
    send: `OPTIONS http://b HTTP/1.1\r\n${HOST}`,
    responses: [200],
    upstreamHas: ["OPTIONS * HTTP/1.1\r\n", /\r\nHost: b\r\n/],
  },
  refused("no Host", "9112 §3.2", "GET / HTTP/1.1\r\n\r\n"),
  refused("two Hosts", "9112 §3.2", `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`),
  refused("two equal Hosts", "9112 §3.2", `GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n`),
  refused("a Host with a space", "9112 §3.2", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
  refused("a Host with a path", "9112 §3.2", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
  refused("a Host with a user", "9112 §3.2", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
  refused("a Host with two ports", "9112 §3.2", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
  refused("a Host with a port that is no number", "9112 §3.2", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
  refused("a Host with a port over 65535", "9112 §3.2", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
  refused(
    "two Hosts with an absolute target",
    "9112 §3.2",
    `GET http://b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`,
  ),
  {
    name: "an IPv6 Host with a port",
    rfc: "9110 §7.2",
    send: "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    responses: [200],
    upstreamHas: ["Host: [::1]:8080\r\n"],
  },
  {
    name: "HTTP/1.0 without Host",
    rfc: "9112 §3.2",
    send: "GET / HTTP/1.0\r\n\r\n",
    responses: [200],
    closed: true,
    upstreamHas: [/^GET \/ HTTP\/1\.1\r\n/, /\r\nHost: [^\r\n]+\r\n/],
  },
  refused("CONNECT", "9110 §9.3.6", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", [405, 501]),
  refused("TRACE", "9110 §9.3.8", `TRACE / HTTP/1.1\r\n${HOST}`, [405, 501]),
  {
    name: "405 names the methods that are allowed",
    rfc: "9110 §15.5.6",
    send: `TRACE / HTTP/1.1\r\n${HOST}`,
    responses: [{ status: 405, has: [/\r\nAllow: GET, /i, /application\/problem\+json/] }],
    closed: true,
  },
  {
    name: "an extension method is relayed",
    rfc: "9110 §16.1",
    send: `PREDICT /x HTTP/1.1\r\n${HOST}`,
    responses: [200],
    upstreamHas: [/^PREDICT \/x /],
  },
  refused(
    "a method in lower case is another method",
    "9110 §9.1",
    `get / HTTP/1.1\r\n${HOST}`,
    [400, 405, 501],
  ),
  refused("a method that is no token", "9110 §9.1", `G(T / HTTP/1.1\r\n${HOST}`),
  refused("HTTP/1.2", "9112 §2.3", `GET / HTTP/1.2\r\n${HOST}`, [400, 505]),
  refused("HTTP/2.0 in clear text", "9112 §2.3", `GET / HTTP/2.0\r\n${HOST}`, [400, 505]),
  refused("HTTP/0.9 with a version", "9112 §2.3", `GET / HTTP/0.9\r\n${HOST}`, [400, 505]),
  refused("HTTP/0.9 without a version", "9112 §3", "GET /\r\n\r\n", [400, 505]),
  refused("http/1.1 in lower case", "9112 §2.3", `GET / http/1.1\r\n${HOST}`),
  refused("HTTP/01.1", "9112 §2.3", `GET / HTTP/01.1\r\n${HOST}`),
  refused("HTTP/1.10", "9112 §2.3", `GET / HTTP/1.10\r\n${HOST}`),
  refused("nearly the preface of HTTP/2", "9113 §3.4", "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", [400, 505]),
  refused("a TLS handshake", "9112 §3", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  {
    name: "empty lines before a request are skipped",
    rfc: "9112 §2.2",
    send: `\r\n\r\nGET / HTTP/1.1\r\n${HOST}`,
    responses: [200],
  },
];
