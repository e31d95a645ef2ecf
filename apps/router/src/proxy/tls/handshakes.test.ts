import { once } from "node:events";
import {
  connect as http2Connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { request } from "node:https";
import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { serverMaterial, TestAuthority } from "../../../test/support/certificates.ts";
import { closing, eventually } from "../../../test/support/open.ts";
import { TEST_CONFIG, TEST_TLS, testRouter } from "../../../test/support/plane.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { rawUpstream, upstream } from "../../../test/support/upstream.ts";
import { GET } from "../../../test/support/wire.ts";
import type { Config } from "../../config/config.ts";
import type { ServerMaterial } from "../../tls/material.ts";

const open = closing();
const authority = await TestAuthority.create();
const first = await authority.issue({ names: ["a.test", "127.0.0.1"] });
const second = await authority.issue({ names: ["b.test", "*.wild.test"] });
const exact = await authority.issue({ names: ["exact.wild.test"] });
const byName = await authority.issue({ names: [], commonName: "common.test" });
const ALL = [first, second, exact, byName];
/** The host is not what these tests are about. */
const ANYBODY: ConnectionOptions = { ca: authority.cert, checkServerIdentity: () => undefined };

/** A client's connection after its handshake. */
async function secure(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", ...ANYBODY, ...options });
  await once(socket, "secureConnect");
  open({ close: () => socket.destroy() });
  return socket;
}

/** Why a client's handshake fails. */
async function refused(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", ...ANYBODY, ...options });
  socket.on("secureConnect", () => socket.destroy(new Error("the handshake was done")));
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  return error.code ?? error.message;
}

async function shown(port: number, servername?: string): Promise<string> {
  const socket = await secure(port, servername === undefined ? {} : { servername });
  return socket.getPeerCertificate().serialNumber;
}

const serialOf = async ({ cert }: { cert: string }) =>
  new (await import("node:crypto")).X509Certificate(cert).serialNumber;

describe.for(ENGINES)("TLS with clients, engine $name", ({ create }) => {
  async function router(material: Partial<ServerMaterial> = {}, config: Partial<Config> = {}, pairs = ALL) {
    const target = open(await upstream());
    const colors = { blue: { weight: 1, targets: [target.url] } };
    return open(await testRouter(colors, { config, material: serverMaterial(pairs, material) }, create));
  }

  it("shows the certificate of the name that is asked for: the exact one, then a wildcard, then the first", async () => {
    const { port } = await router();
    expect(await shown(port, "a.test")).toBe(await serialOf(first));
    expect(await shown(port, "B.test")).toBe(await serialOf(second));
    expect(await shown(port, "any.wild.test")).toBe(await serialOf(second));
    expect(await shown(port, "exact.wild.test")).toBe(await serialOf(exact));
    expect(await shown(port, "common.test")).toBe(await serialOf(byName));
    expect(await shown(port, "two.deep.wild.test")).toBe(await serialOf(first));
    expect(await shown(port, "unknown.test")).toBe(await serialOf(first));
    expect(await shown(port)).toBe(await serialOf(first));
  });

  it("refuses names that it does not have, and none, where SNI is strict", async () => {
    const { port, plane } = await router({ strictSni: true });
    expect(await shown(port, "a.test")).toBe(await serialOf(first));
    expect(await refused(port, { servername: "unknown.test" })).toMatch(/HANDSHAKE_FAILURE/);
    expect(await refused(port, {})).toMatch(/HANDSHAKE_FAILURE/);
    await eventually(() => plane.handshakes.failed === 2);
    expect(plane.handshakes.done).toBe(1);
  });

  it("speaks TLS 1.2 and 1.3, no older one, and no cipher of the old ones", async () => {
    const { port } = await router();
    expect((await secure(port)).getProtocol()).toBe("TLSv1.3");
    const old = await secure(port, { maxVersion: "TLSv1.2" });
    expect(old.getProtocol()).toBe("TLSv1.2");
    expect(old.getCipher().name).toMatch(/^ECDHE-.*(GCM|POLY1305)/);
    const ciphers = "ALL:@SECLEVEL=0";
    const oldest = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers } as const;
    expect(await refused(port, oldest)).toMatch(/PROTOCOL_VERSION/);
    const weak = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" } as const;
    expect(await refused(port, weak)).toMatch(/HANDSHAKE_FAILURE/);
  });

  it("speaks TLS 1.3 alone where it is told to", async () => {
    const { port } = await router({ minVersion: "TLSv1.3" });
    expect(await refused(port, { maxVersion: "TLSv1.2" })).toMatch(/PROTOCOL_VERSION/);
    expect((await secure(port)).getProtocol()).toBe("TLSv1.3");
  });

  it("resumes sessions that another process with the same ticket keys has begun", async () => {
    const [one, two] = [await router(), await router()];
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const begun = connect({
        port: one.port,
        host: "127.0.0.1",
        ...ANYBODY,
        maxVersion,
        servername: "b.test",
      });
      begun.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const [session] = (await once(begun, "session")) as [Buffer];
      begun.destroy();
      const again = await secure(two.port, { maxVersion, servername: "b.test", session });
      expect(again.isSessionReused(), maxVersion).toBe(true);
      const other = await router({ ticketKeys: Buffer.alloc(48, 9).toString("base64") });
      expect(
        (await secure(other.port, { maxVersion, servername: "b.test", session })).isSessionReused(),
      ).toBe(false);
    }
  });

  it("chooses h2 or http/1.1 by ALPN, and refuses clients that speak something else", async () => {
    const { port } = await router();
    expect((await secure(port, { ALPNProtocols: ["spdy/9", "http/1.1"] })).alpnProtocol).toBe("http/1.1");
    expect((await secure(port, { ALPNProtocols: ["http/1.1", "h2"] })).alpnProtocol).toBe("h2");
    expect((await secure(port)).alpnProtocol).toBe(false);
    expect(await refused(port, { ALPNProtocols: ["spdy/9"] })).toMatch(/NO_APPLICATION_PROTOCOL/);
  });

  it("serves HTTP/2 to who has chosen it", async () => {
    const { port } = await router();
    const client = http2Connect(`https://127.0.0.1:${port}`, ANYBODY as SecureClientSessionOptions);
    open({ close: () => client.destroy() });
    const stream = client.request({ ":path": "/" });
    const [head] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(head[":status"]).toBe(200);
    stream.resume();
    await once(stream, "close");
  });

  it("shows a new certificate to new connections, while those that there are go on", async () => {
    const { port, plane } = await router({}, {}, [first]);
    const client = open(await RawClient.connect(port, ANYBODY));
    client.send(GET);
    await client.until(/\r\n\r\nok|\r\nok\r\n/);
    plane.equip(serverMaterial([exact]));
    expect(await shown(port)).toBe(await serialOf(exact));
    client.send(GET);
    await client.until(/200 OK[\s\S]*200 OK/);
    expect(client.closed).toBe(false);
  });

  it("says https to targets, and Strict-Transport-Security to clients, whatever they are answered", async () => {
    const hsts = { max_age: 300, include_subdomains: true, preload: false };
    const { port } = await router({}, { tls: { ...TEST_TLS, hsts } });
    const client = open(await RawClient.connect(port, ANYBODY));
    client.send(`${GET}GET / HTTP/1.1\r\n\r\n`);
    const text = await client.untilClosed();
    const field = /\r\nstrict-transport-security: max-age=300; includeSubDomains\r\n/gi;
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 400 Bad Request/);
    expect(text.match(field)).toHaveLength(2);
  });

  it("answers plain HTTP with 400, and ends what is neither", async () => {
    const { port, lines } = await router();
    const plain = open(await RawClient.connect(port));
    plain.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`);
    expect(await plain.untilClosed()).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*use https:\/\/ in the URL/,
    );
    expect(lines).toMatchObject([{ status: 400, outcome: "refused" }]);
    for (const garbage of [Buffer.from([0, 1, 2, 3]), Buffer.from([0x16, 3, 1, 0, 4, 9, 9, 9, 9])]) {
      const client = open(await RawClient.connect(port));
      client.send(garbage);
      expect(await client.untilClosed()).not.toMatch(/HTTP/);
    }
    expect((await secure(port)).authorized).toBe(true);
  });

  it("ends silent and slow handshakes after timeouts.client_header", async () => {
    const timeouts = { ...TEST_CONFIG.timeouts, client_header: 60 };
    const { port, plane } = await router({}, { timeouts });
    const silent = open(await RawClient.connect(port));
    const slow = open(await RawClient.connect(port));
    slow.send(Buffer.from([0x16, 3, 1, 2]));
    await eventually(() => plane.connections === 2);
    await Promise.all([silent.untilClosed(), slow.untilClosed()]);
    await eventually(() => plane.connections === 0);
  });

  it("counts handshakes in limits.connections", async () => {
    const limits = { ...TEST_CONFIG.limits, connections: 2 };
    const { port, plane } = await router({}, { limits });
    const waiting = [open(await RawClient.connect(port)), open(await RawClient.connect(port))];
    await eventually(() => plane.connections === 2);
    const third = connectPlain({ port, host: "127.0.0.1" });
    third.on("error", () => {});
    await once(third, "close");
    waiting[0]!.close();
    await eventually(() => plane.connections === 1);
    expect((await secure(port)).authorized).toBe(true);
  });

  it("lets a client that breaks off in its handshake go, without a trace", async () => {
    const { port, plane } = await router();
    const client = connectPlain({ port, host: "127.0.0.1" });
    client.write(Buffer.from([0x16, 3, 1, 2]));
    await eventually(() => plane.connections === 1);
    client.resetAndDestroy();
    await eventually(() => plane.connections === 0);
    expect(plane.handshakes.done).toBe(0);
  });

  it("has a body that lasts until the end, and breaks off, end in a reset", async () => {
    let target: Socket | undefined;
    const raw = open(
      await rawUpstream((socket) => {
        target = socket;
        socket.once("data", () =>
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        );
      }),
    );
    const colors = { blue: { weight: 1, targets: [raw.url] } };
    const { port } = open(await testRouter(colors, { material: serverMaterial([first]) }, create));
    const client = open(await RawClient.connect(port, ANYBODY));
    client.send("GET / HTTP/1.0\r\n\r\n");
    await client.until("half");
    target!.resetAndDestroy();
    await client.untilClosed();
    expect(client.reset).toBe(true);
  });

  it("drains: an answer is finished, and connections of which nothing has come are not waited for", async () => {
    let answer = () => {};
    const target = open(
      await upstream((_, response) => {
        answer = () => response.end("late");
      }),
    );
    const colors = { blue: { weight: 1, targets: [target.url] } };
    const { plane, port } = open(await testRouter(colors, { material: serverMaterial([first]) }, create));
    const engine = create(plane);
    const address = await engine.listen({ host: "127.0.0.1", port: 0 });
    expect(address.port).not.toBe(port);
    const silent = open(await RawClient.connect(address.port));
    const busy = open(await RawClient.connect(address.port, ANYBODY));
    busy.send(GET);
    await eventually(() => target.seen.length === 1);
    const drained = engine.drain(20_000, 1);
    await silent.untilClosed();
    answer();
    expect(await busy.untilClosed()).toMatch(/late$/);
    expect(await drained).toBe(0);
  });

  it("carries a large body both ways to a client that reads slowly", async () => {
    const target = open(await upstream((_, response, body) => response.end(body)));
    const colors = { blue: { weight: 1, targets: [target.url] } };
    const { port } = open(await testRouter(colors, { material: serverMaterial([first]) }, create));
    const body = Buffer.alloc(8 << 20, "abcdefg");
    const received = await new Promise<Buffer>((resolve, reject) => {
      const sent = request({ port, host: "127.0.0.1", method: "POST", ...ANYBODY }, async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) {
          chunks.push(chunk as Buffer);
          await new Promise((next) => setImmediate(next));
        }
        resolve(Buffer.concat(chunks));
      });
      sent.on("error", reject);
      sent.end(body);
    });
    expect(received.equals(body)).toBe(true);
  });
});
