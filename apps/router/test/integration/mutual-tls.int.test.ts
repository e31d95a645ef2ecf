import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { TestAuthority } from "../support/certificates.ts";
import { Child, endChildren } from "../support/child.ts";
import { closing } from "../support/open.ts";
import { RawClient } from "../support/raw-client.ts";
import { removeFolder, temporaryFolder } from "../support/running-router.ts";
import { refusedPort, upstream } from "../support/upstream.ts";

const SLUICE = "apps/router/bin/sluice.js";
const open = closing();
let authority: TestAuthority;
let stranger: TestAuthority;
let folder: string;
let router: Child;
let ports: { readonly clients: number; readonly admin: number };

beforeAll(async () => {
  [authority, stranger] = await Promise.all([TestAuthority.create(), TestAuthority.create("A Stranger")]);
});
afterEach(async () => {
  await endChildren();
  removeFolder(folder);
});

const file = (name: string) => join(folder, name);

async function put(name: string, by: TestAuthority, wanted: Parameters<TestAuthority["issue"]>[0] = {}) {
  const { cert, key } = await by.issue(wanted);
  writeFileSync(file(`${name}.pem`), cert);
  writeFileSync(file(`${name}.key`), key, { mode: 0o600 });
}

const pair = (name: string) => ({ cert: `${name}.pem`, key: `${name}.key` });

/** Certificates on all three sides: clients and operators see one, and operators and the router have to show theirs. */
async function begin(): Promise<Record<string, unknown>> {
  folder = temporaryFolder();
  writeFileSync(file("ca.pem"), authority.cert);
  writeFileSync(file("stranger.pem"), stranger.cert);
  await Promise.all([
    put("clients", authority),
    put("admin", authority),
    put("ann", authority, { client: true, names: [], commonName: "ann" }),
    put("eve", stranger, { client: true, names: [], commonName: "eve" }),
    put("router", authority, { client: true, names: [], commonName: "the router" }),
  ]);
  const wantsCertificate = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
  const target = open(
    await upstream(
      (request, response) => {
        response.end(`asked by ${(request.socket as TLSSocket).getPeerCertificate().subject.CN}`);
      },
      { ...(await authority.issue()), ...wantsCertificate },
    ),
  );
  ports = { clients: await refusedPort(), admin: await refusedPort() };
  const config = {
    listen: `127.0.0.1:${ports.clients}`,
    admin: { listen: `127.0.0.1:${ports.admin}`, tls: { ...pair("admin"), client_ca: "ca.pem" } },
    state: "state",
    tls: { certificates: [pair("clients")], watch: "20ms" },
    upstream_tls: { ca: "ca.pem", ...pair("router") },
    health: { path: "/", interval: "50ms" },
    colors: { blue: { weight: 1, targets: [target.url] } },
  };
  write(config);
  router = Child.node(SLUICE, ["serve", "--config", file("sluice.yaml")]);
  await router.printed(/The router is listening/);
  await router.printed(/is up: 200/);
  return config;
}

const write = (config: object) => writeFileSync(file("sluice.yaml"), stringify(config));

/** `sluice status` by whoever has this certificate, and believes that authority. */
async function status(
  who: string | undefined,
  ca = "ca.pem",
): Promise<{ code: number | null; said: string }> {
  const shown = who === undefined ? [] : ["--cert", file(`${who}.pem`), "--key", file(`${who}.key`)];
  const where = ["--admin", `https://127.0.0.1:${ports.admin}`, "--ca", file(ca)];
  const command = Child.node(SLUICE, ["status", ...where, ...shown]);
  const code = await command.exited();
  await command.closed();
  return { code, said: command.output };
}

async function answered(): Promise<string> {
  const client = open(
    await RawClient.connect(ports.clients, { ca: authority.cert, servername: "localhost" }),
  );
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return client.until(/asked by [\w ]+/);
}

it("is led by operators with a certificate, and shows its own to targets", async () => {
  await begin();
  expect(await status("ann")).toMatchObject({ code: 0, said: expect.stringMatching(/up https:\/\/127/) });
  expect(await answered()).toContain("asked by the router");
  for (const nobody of [undefined, "eve"]) {
    expect(await status(nobody)).toEqual({ code: 1, said: expect.stringMatching(/^sluice: .*\.\n$/) });
  }
  expect((await status(undefined)).said).toMatch(
    /may want a client certificate .*--cert FILE and --key FILE/,
  );
  expect(await status("ann", "stranger.pem")).toEqual({
    code: 1,
    said: expect.stringMatching(/is not to be trusted: .*--ca FILE\.\n$/),
  });

  await put("admin", stranger);
  await router.printed(/admin\.tls: the files have changed and were taken over/);
  expect(await status("ann", "stranger.pem")).toMatchObject({ code: 0 });
});

it("leaves both ports as they are when a SIGHUP finds a file without TLS, and says that a restart is needed", async () => {
  const { tls: _tls, admin: _admin, ...config } = await begin();
  write({ ...config, admin: { listen: `127.0.0.1:${ports.admin}` } });
  router.signal("SIGHUP");
  await router.printed(/"restart":\["admin\.tls","tls"\],"msg":"These keys take effect after a restart/);
  expect(await answered()).toContain("asked by the router");
  expect(await status("ann")).toMatchObject({ code: 0 });
  expect(await status(undefined)).toMatchObject({ code: 1 });

  write({ ...config, tls: _tls, admin: { listen: `127.0.0.1:${ports.admin}`, tls: pair("admin") } });
  router.signal("SIGHUP");
  await router.printed(
    /"restart":\["admin\.tls"(,"tls")?\],"msg":"These keys[\s\S]*"restart":\["admin\.tls"/,
  );
  expect(await status("ann")).toMatchObject({ code: 0 });
  const exited = once(router.process, "exit");
  router.signal("SIGTERM");
  expect((await exited)[0]).toBe(0);
});
