import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, expect, it } from "vitest";
import { AcmeServer } from "../support/acme-server.ts";
import { TestAuthority } from "../support/certificates.ts";
import { endChildren } from "../support/child.ts";
import { closing } from "../support/open.ts";
import { RawClient } from "../support/raw-client.ts";
import {
  type RunningRouter,
  removeFolder,
  startRouter,
  temporaryFolder,
  untilHealth,
} from "../support/running-router.ts";
import { endRouter, stateOf, upgrade } from "../support/upgrading.ts";
import { refusedPort, upstream } from "../support/upstream.ts";
import { endWorkers, until, workersOf } from "../support/workers.ts";

const open = closing();
const GET = "GET / HTTP/1.1\r\nHost: files.test\r\n\r\n";
let authority: TestAuthority;
let router: RunningRouter;
let redirectPort: number;

beforeAll(async () => {
  authority = await TestAuthority.create();
});
afterEach(async () => {
  await endRouter(router);
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

/** A router whose first certificate is in files, and whose second comes from an authority on loopback. */
async function begin(workers: number): Promise<AcmeServer> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "tls"));
  redirectPort = await refusedPort();
  const acme = open(await new AcmeServer(authority, () => redirectPort).listen());
  const target = open(await upstream());
  await put(folder, ["files.test"]);
  router = await startRouter(
    {
      workers,
      tls: {
        certificates: [{ cert: "tls/cert.pem", key: "tls/key.pem" }],
        redirect: `127.0.0.1:${redirectPort}`,
        watch: "20ms",
        acme: { domains: ["acme.test"], agree_to_terms: true, directory: acme.directory },
      },
      health: { path: "/", interval: "50ms" },
      colors: { blue: { weight: 1, targets: [target.url] } },
    },
    folder,
  );
  await untilHealth(router, "blue", "up");
  return acme;
}

async function put(folder: string, names: readonly string[]): Promise<void> {
  const { cert, key } = await authority.issue({ names });
  writeFileSync(join(folder, "tls", "cert.pem"), cert);
  writeFileSync(join(folder, "tls", "key.pem"), key, { mode: 0o600 });
}

const port = () => Number(new URL(router.url).port);

/** The names in what the router shows; undefined where the handshake fails. */
async function shown(servername: string): Promise<string | undefined> {
  const socket: TLSSocket = connect({
    port: port(),
    host: "127.0.0.1",
    servername,
    rejectUnauthorized: false,
  });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().subjectaltname;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** What so many new connections are shown, which every worker accepts some of. */
async function shownToMany(servername: string): Promise<Set<string | undefined>> {
  return new Set(await Promise.all(Array.from({ length: 24 }, () => shown(servername))));
}

const onlyShown = async (servername: string, names: string) => {
  const seen = await shownToMany(servername);
  return seen.size === 1 && seen.has(names);
};

it.each([1, 2])(
  "certificates from files and from an authority reach %i workers, and an upgrade",
  async (workers) => {
    const acme = await begin(workers);
    await until(() => onlyShown("acme.test", "DNS:acme.test"));
    expect(acme.issued).toBe(1);
    const client = open(await RawClient.connect(port(), { ca: authority.cert, servername: "files.test" }));
    client.send(GET);
    await client.until(/\r\nok\r\n|\r\n\r\nok/);
    await put(router.folder, ["new.test"]);
    await until(() => onlyShown("files.test", "DNS:new.test"));
    client.send(GET);
    await client.until(/200 OK[\s\S]*200 OK/);

    const before = await stateOf(router);
    expect((await upgrade(router)).status).toBe(200);
    expect((await stateOf(router)).pid).not.toBe(before.pid);
    expect(await onlyShown("acme.test", "DNS:acme.test")).toBe(true);
    expect(await onlyShown("other.test", "DNS:new.test")).toBe(true);
    expect(acme.issued).toBe(1);
    const answer = await fetch(`http://127.0.0.1:${redirectPort}/x?y`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([308, `https://127.0.0.1:${port()}/x?y`]);
  },
);

it("workers go on with their certificates when the router is killed, and a SIGHUP with a bad file changes nothing", async () => {
  await begin(2);
  writeFileSync(join(router.folder, "tls", "cert.pem"), "hello");
  router.child.signal("SIGHUP");
  await router.child.printed(/nothing has changed: tls\.certificates\[0\]: .*cert\.pem is not PEM/);
  expect(await onlyShown("files.test", "DNS:files.test")).toBe(true);
  expect(workersOf(router)).toHaveLength(2);
  await router.child.kill();
  expect(await onlyShown("files.test", "DNS:files.test")).toBe(true);
});
