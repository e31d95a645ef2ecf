import { expect, it } from "vitest";
import { closing } from "../../test/support/open.ts";
import { TEST_CONFIG, TEST_TLS } from "../../test/support/plane.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { AppServer } from "../http-server.ts";
import { Redirect } from "./redirect.ts";

const open = closing();

async function redirect(port = 443, strict_sni = false) {
  const config = { ...TEST_CONFIG, tls: { ...TEST_TLS, strict_sni } };
  const challenges = new Map([["token_1", "token_1.proof"]]);
  const names = () => ["api.test", "*.wild.test"];
  const made = new Redirect({ config: () => config, port: () => port, challenges, names });
  const server = open(new AppServer(made.server));
  await server.listen("tls.redirect", { host: "127.0.0.1", port: 0 });
  const ask = async (text: string) => {
    const client = open(await RawClient.connect(server.address.port));
    client.send(text);
    return await client.until(/\r\n\r\n/);
  };
  return { ask, made };
}

const to = (host: string, target = "/", method = "GET") =>
  `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

it.each([
  [to("api.test", "/a//b?x=%20&y"), 443, "https://api.test/a//b?x=%20&y"],
  [to("api.test:80", "/", "POST"), 443, "https://api.test/"],
  [to("api.test:8080"), 8443, "https://api.test:8443/"],
  [to("[::1]:80", "/x"), 8443, "https://[::1]:8443/x"],
  [to("other.test", "http://api.test/abs?q"), 443, "https://api.test/abs?q"],
])("sends %j to %j %s", async (request, port, location) => {
  const { ask, made } = await redirect(port);
  const answer = await ask(request);
  expect(answer).toMatch(/^HTTP\/1\.1 308 Permanent Redirect\r\n/);
  expect(answer).toContain(`\r\nLocation: ${location}\r\n`);
  expect(made.count).toBe(1);
});

it.each([
  ["a host that is none", to("a b"), 400],
  ["a host with a path in it", to("api.test/evil"), 400],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["an HTTP/1.0 client that names none", "GET / HTTP/1.0\r\n\r\n", 400],
  ["no path", to("api.test", "*", "OPTIONS"), 400],
  [
    "a smuggled length",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
])("refuses %s", async (_, request, status) => {
  const { ask, made } = await redirect();
  expect(await ask(request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(made.count).toBe(0);
});

it("answers an authority, and knows nothing of what it was not told", async () => {
  const { ask } = await redirect();
  const at = (token: string) => to("api.test", `/.well-known/acme-challenge/${token}`);
  expect(await ask(at("token_1"))).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*token_1\.proof$/);
  expect(await ask(at("token_2"))).toMatch(/^HTTP\/1\.1 404 /);
  expect(await ask(at("../secret"))).toMatch(/^HTTP\/1\.1 404 /);
});

it("knows only its certificates' hosts where SNI is strict", async () => {
  const { ask } = await redirect(443, true);
  expect(await ask(to("API.test"))).toMatch(/^HTTP\/1\.1 308 /);
  expect(await ask(to("any.wild.test:80"))).toMatch(/^HTTP\/1\.1 308 /);
  expect(await ask(to("evil.test"))).toMatch(/^HTTP\/1\.1 421 /);
});
