import { once } from "node:events";
import type { Server } from "node:https";
import type { TLSSocket, TlsOptions } from "node:tls";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import { selfSigned, TestAuthority } from "../../test/support/certificates.ts";
import { closing, eventually } from "../../test/support/open.ts";
import { testRouter } from "../../test/support/plane.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { type Answer, rawUpstream, type Upstream, upstream } from "../../test/support/upstream.ts";
import { SWITCHING, UPGRADE } from "../../test/support/wire.ts";
import { systemClock } from "../control/clock.ts";
import { PLAIN_UPSTREAM, type UpstreamMaterial } from "../tls/material.ts";
import { Dialer } from "./dialer.ts";
import { targetProbe } from "./probe.ts";

const open = closing();
const HOUR = 3_600_000;
const authority = await TestAuthority.create();
const stranger = await TestAuthority.create("Stranger");
const good = await authority.issue();
const trusting: UpstreamMaterial = { ...PLAIN_UPSTREAM, ca: authority.cert };

const secureUpstream = async (tls: TlsOptions, answer?: Answer) => open(await upstream(answer, tls));

/** Ways in which a target cannot be believed, and what its check says of it. */
const FAULTS: Readonly<Record<string, { tls: TlsOptions; upstream?: UpstreamMaterial; why: RegExp }>> = {
  "a self-signed certificate": { tls: await selfSigned(), why: /self-signed/ },
  "a certificate of an unknown authority": {
    tls: await stranger.issue(),
    why: /authority that is not trusted/,
  },
  "an expired certificate": {
    tls: await authority.issue({ from: new Date(Date.now() - 2 * HOUR), to: new Date(Date.now() - HOUR) }),
    why: /has expired/,
  },
  "a certificate that is not yet valid": {
    tls: await authority.issue({ from: new Date(Date.now() + HOUR) }),
    why: /not yet valid/,
  },
  "a certificate for another address": {
    tls: await authority.issue({ names: ["127.0.0.2", "localhost"] }),
    why: /for another name/,
  },
  "a certificate for another name": {
    tls: good,
    upstream: { ...trusting, serverName: "model.internal" },
    why: /for another name/,
  },
  "a certificate of an authority that only the system knows": {
    tls: good,
    upstream: PLAIN_UPSTREAM,
    why: /authority that is not trusted/,
  },
  "nothing but TLS 1.1": {
    tls: { ...good, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" },
    why: /TLS could not be agreed on/,
  },
  "a wish for a certificate that the router has not": {
    tls: { ...good, requestCert: true, ca: authority.cert, maxVersion: "TLSv1.2" },
    why: /refuses the certificate that it is shown, or wants one/,
  },
};

async function check(url: string, material: UpstreamMaterial) {
  const dialer = new Dialer();
  dialer.use(material);
  const config = { path: "/", grpc: undefined, timeout: 5000, status: [[200, 299]] as const };
  return await targetProbe(systemClock, dialer)(url, config, new AbortController().signal);
}

describe("a check inside TLS", () => {
  it("passes a target whose certificate is right, by its address", async () => {
    const target = await secureUpstream(good);
    expect(await check(target.url, trusting)).toMatchObject({ ok: true, detail: "200 OK" });
    expect(target.seen[0]!.headers.host).toBe(`127.0.0.1:${target.port}`);
  });

  it("passes a target for the name that it is to have", async () => {
    const named = await secureUpstream(await authority.issue({ names: ["model.internal"] }));
    expect((await check(named.url, trusting)).ok).toBe(false);
    expect((await check(named.url, { ...trusting, serverName: "model.internal" })).ok).toBe(true);
  });

  it.each(Object.entries(FAULTS))("fails for %s", async (_, { tls, upstream: material = trusting, why }) => {
    const target = await secureUpstream(tls);
    const result = await check(target.url, material);
    expect(result.detail).toMatch(why);
    expect(result.ok).toBe(false);
    expect(target.seen).toEqual([]);
  });

  it("fails for a target that speaks no TLS, and never falls back to plain HTTP", async () => {
    const plain = open(await upstream());
    expect(await check(plain.url.replace("http:", "https:"), trusting)).toMatchObject({
      ok: false,
      detail: "it does not speak TLS",
    });
    expect(plain.seen).toEqual([]);
  });
});

describe.for(ENGINES)("targets inside TLS, engine $name", ({ create }) => {
  async function router(target: Upstream | { url: string }, material: UpstreamMaterial = trusting) {
    const colors = { blue: { weight: 1, targets: [target.url] } };
    return open(await testRouter(colors, { material: { server: undefined, upstream: material } }, create));
  }

  it("get requests with their bodies, and resume their sessions", async () => {
    const reused: boolean[] = [];
    const target = await secureUpstream(good, (request, response, body) => {
      response.setHeader("Connection", "close");
      reused.push((request.socket as TLSSocket).isSessionReused());
      response.end(body);
    });
    const { url } = await router(target);
    for (let i = 0; i < 4; i++) {
      const body = "x".repeat(100_000);
      expect(await (await fetch(url, { method: "POST", body })).text()).toBe(body);
    }
    expect(reused[0]).toBe(false);
    expect(reused).toContain(true);
    expect(target.seen).toHaveLength(4);
  });

  it("keep connections for further requests", async () => {
    const target = await secureUpstream(good);
    let connections = 0;
    target.server.on("secureConnection", () => connections++);
    const { url } = await router(target);
    for (let i = 0; i < 5; i++) expect(await (await fetch(url)).text()).toBe("ok");
    expect(connections).toBe(1);
  });

  it.each(Object.entries(FAULTS))("are not sent anything that show %s", async (_, fault) => {
    const target = await secureUpstream(fault.tls);
    const { url, plane, lines } = await router(target, fault.upstream);
    const answer = await fetch(url);
    expect(answer.status).toBe(502);
    expect(await answer.text()).toMatch(/certificate is not to be trusted, or TLS could not be agreed on/);
    expect(lines).toMatchObject([{ outcome: "tls_failed", status: 502 }]);
    expect(Object.keys(plane.report().colors.blue!.upstreamErrors)).toEqual(["tls_failed"]);
    expect(target.seen).toEqual([]);
  });

  it("are believed without a check where that is asked for", async () => {
    const target = await secureUpstream(await selfSigned());
    const { url } = await router(target, { ...PLAIN_UPSTREAM, verify: false });
    expect(await (await fetch(url)).text()).toBe("ok");
  });

  it("are shown the router's certificate where they want one", async () => {
    const pair = await authority.issue({ names: [], commonName: "router", client: true });
    const tls = { ...good, requestCert: true, ca: authority.cert };
    const target = await secureUpstream(tls, (request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN);
    });
    const { url } = await router(target, { ...trusting, pair });
    expect(await (await fetch(url)).text()).toBe("router");
  });

  it("are checked anew by other rules, and when their certificate has changed", async () => {
    const target = await secureUpstream({ ...good, ticketKeys: Buffer.alloc(48, 1) }, (_, response) => {
      response.setHeader("Connection", "close");
      response.end("ok");
    });
    const { url, plane, lines } = await router(target);
    expect((await fetch(url)).status).toBe(200);
    plane.equip({ server: undefined, upstream: { ...PLAIN_UPSTREAM, ca: stranger.cert } });
    expect((await fetch(url)).status).toBe(502);
    plane.equip({ server: undefined, upstream: trusting });
    expect((await fetch(url)).status).toBe(200);
    (target.server as Server).setSecureContext({ ...(await selfSigned()), ticketKeys: Buffer.alloc(48, 2) });
    expect((await fetch(url)).status).toBe(502);
    expect(lines.map(({ outcome }) => outcome)).toEqual(["answered", "tls_failed", "answered", "tls_failed"]);
  });

  it("that never finish the handshake are given up after timeouts.connect", async () => {
    const silent = open(await rawUpstream(() => {}));
    const colors = { blue: { weight: 1, targets: [silent.url.replace("http:", "https:")] } };
    const timeouts = { ...(await import("../../test/support/plane.ts")).TEST_CONFIG.timeouts, connect: 50 };
    const { url, lines } = open(await testRouter(colors, { config: { timeouts } }, create));
    expect((await fetch(url)).status).toBe(504);
    expect(lines).toMatchObject([{ outcome: "connect_timeout" }]);
  });

  it("get requests that another target could not be believed for", async () => {
    const [bad, fine] = [await secureUpstream(await selfSigned()), await secureUpstream(good)];
    const colors = { blue: { weight: 1, targets: [bad.url, fine.url] } };
    const material = { server: undefined, upstream: trusting };
    const { url } = open(await testRouter(colors, { material }, create));
    for (let i = 0; i < 6; i++) expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(200);
    expect(bad.seen).toEqual([]);
  });

  it("have tunnels, too", async () => {
    const target = await secureUpstream(good);
    target.server.on("upgrade", (_, socket) => {
      socket.write(SWITCHING);
      socket.on("data", (bytes: Buffer) => socket.write(`echo ${bytes}`));
      socket.on("error", () => {});
    });
    const { port, plane } = await router(target);
    const client = open(await RawClient.connect(port));
    client.send(UPGRADE);
    await client.until("101 Switching Protocols");
    client.send("hello");
    await client.until("echo hello");
    client.close();
    await eventually(() => plane.connections === 0);
  });
});

it("offers the protocols that it is asked for", async () => {
  const target = await secureUpstream({ ...good, ALPNProtocols: ["h2", "http/1.1"] });
  const dialer = new Dialer();
  dialer.use(trusting);
  for (const alpn of [["h2"], ["http/1.1"]]) {
    const socket = dialer.dial({ protocol: "https", host: "127.0.0.1", port: target.port }, { alpn });
    open({ close: () => socket.destroy() });
    await once(socket, "secureConnect");
    expect((socket as TLSSocket).alpnProtocol).toBe(alpn[0]);
  }
});
