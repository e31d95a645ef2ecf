import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { selfSigned, TestAuthority } from "../../test/support/certificates.ts";
import { closing } from "../../test/support/open.ts";
import { sluiceHere } from "../../test/support/sluice-command.ts";
import { AppServer } from "../http-server.ts";

const open = closing();
const authority = await TestAuthority.create();
const server = await authority.issue();
const me = await authority.issue({ names: [], commonName: "me", client: true });
const stranger = await selfSigned();

const folder = mkdtempSync(join(tmpdir(), "sluice-cli-tls-"));
open({ close: () => rmSync(folder, { recursive: true, force: true }) });

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** An admin port that speaks HTTPS, and wants certificates where asked to. */
async function admin(requestCert: boolean): Promise<string> {
  const app = new Hono().get("/admin/history", (c) => c.json({ history: [] }));
  const ca = requestCert ? { ca: authority.cert } : {};
  const made = open(new AppServer(app, { ...server, ...ca, requestCert }));
  await made.listen("admin.listen", { host: "127.0.0.1", port: 0 });
  return `127.0.0.1:${made.address.port}`;
}

it("reaches an admin port by HTTPS, and says in one sentence why it cannot", async () => {
  const [ca, cert, key] = [file("ca.pem", authority.cert), file("me.pem", me.cert), file("me.key", me.key)];
  const other = [file("stranger.pem", stranger.cert), file("stranger.key", stranger.key)] as const;
  const [open_, mutual] = [await admin(false), await admin(true)];
  const mine = ["--ca", ca, "--cert", cert, "--key", key];
  const run = (url: string, args: readonly string[] = [], env = {}) =>
    sluiceHere(["history", "--json", "--admin", url, ...args], env);

  expect(await run(`https://${open_}`, ["--ca", ca])).toMatchObject({ code: 0, stderr: "" });
  expect(await run(`https://${mutual}`, mine)).toMatchObject({ code: 0, stderr: "" });
  const env = { SLUICE_ADMIN_CA: ca, SLUICE_ADMIN_CERT: cert, SLUICE_ADMIN_KEY: key };
  expect(await run(`https://${mutual}`, [], env)).toMatchObject({ code: 0, stderr: "" });

  const failures: [string, readonly string[], number, RegExp][] = [
    [`https://${open_}`, [], 1, /is not to be trusted: .* not trusted; give its authority with --ca FILE\.$/],
    [`https://${mutual}`, ["--ca", ca], 1, /client certificate/],
    [`https://${mutual}`, ["--ca", ca, "--cert", other[0], "--key", other[1]], 1, /certificate/],
    [`http://${open_}`, [], 1, /has closed the connection; does it speak https\?$/],
    [
      `https://${open_}`,
      ["--ca", join(folder, "none.pem")],
      2,
      /none\.pem cannot be used: there is no such file\.$/,
    ],
    [`https://${open_}`, ["--cert", cert], 2, /--cert and --key belong together\.$/],
    [`https://${open_}`, ["--cert", cert, "--key", other[1]], 2, /--cert and --key cannot be used together/],
  ];
  for (const [url, args, code, why] of failures) {
    const result = await run(url, args);
    expect(result.stderr.trim(), args.join(" ")).toMatch(why);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(result.code).toBe(code);
  }
}, 60_000);
