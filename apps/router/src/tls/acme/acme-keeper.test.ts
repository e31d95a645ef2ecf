import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AcmeServer } from "../../../test/support/acme-server.ts";
import { TestAuthority } from "../../../test/support/certificates.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { closing, eventually } from "../../../test/support/open.ts";
import { TEST_CONFIG, TEST_TLS } from "../../../test/support/plane.ts";
import type { AcmeConfig } from "../../config/config.ts";
import { AppServer } from "../../http-server.ts";
import { Redirect } from "../redirect.ts";
import { AcmeKeeper } from "./acme-keeper.ts";
import type { Issued } from "./store.ts";

const open = closing();
const DAY = 24 * 3_600_000;
const authority = await TestAuthority.create();

/** An authority, the port that it asks, and what orders from it, with a clock that stands still unless it is moved. */
async function scene(changes: Partial<AcmeConfig> = {}) {
  const state = mkdtempSync(join(tmpdir(), "sluice-acme-"));
  open({ close: () => rmSync(state, { recursive: true, force: true }) });
  const challenges = new Map<string, string>();
  const config = { ...TEST_CONFIG, tls: TEST_TLS };
  const redirect = new Redirect({ config: () => config, port: () => 443, challenges, names: () => [] });
  const port80 = open(new AppServer(redirect.server));
  await port80.listen("tls.redirect", { host: "127.0.0.1", port: 0 });
  const server = open(await new AcmeServer(authority, () => port80.address.port).listen());
  const clock = new FakeClock();
  server.now = () => clock.now();
  const lines: string[] = [];
  const note = (_: object, line: string) => void lines.push(line);
  const seen: (readonly Issued[])[] = [];
  const acme: AcmeConfig = {
    domains: ["api.test"],
    email: "ops@test",
    agree_to_terms: true,
    directory: server.directory,
    ca: undefined,
    ...changes,
  };
  const keeper = () => {
    const made = new AcmeKeeper({
      config: acme,
      state,
      clock,
      random: () => 0,
      log: { info: note, warn: note, error: note },
      challenges,
      onIssued: (issued) => void seen.push(issued),
    });
    open({ close: () => made.hold() });
    return made;
  };
  const folder = () => join(state, "acme", readdirSync(join(state, "acme"))[0]!);
  return { server, clock, lines, seen, keeper, folder, challenges, port80 };
}

describe("certificates by ACME", () => {
  it("are issued for every host, once it has proved to be ours, and kept for this user alone", async () => {
    const { keeper, server, seen, folder, challenges } = await scene({ domains: ["a.test", "b.test"] });
    keeper().start();
    await eventually(() => seen.length === 2);
    expect(seen[1]!.map(({ names }) => names)).toEqual([["a.test"], ["b.test"]]);
    expect(server.issued).toBe(2);
    expect(server.contacts).toEqual([["mailto:ops@test"]]);
    expect(challenges.size).toBe(0);
    expect(readdirSync(folder()).sort()).toEqual(["a.test.pem", "account.key", "b.test.pem"]);
    for (const name of readdirSync(folder())) expect(statSync(join(folder(), name)).mode & 0o777).toBe(0o600);
  });

  it("are there again after a restart, without another order and by the same account", async () => {
    const { keeper, server, seen, clock } = await scene();
    const first = keeper();
    first.start();
    await eventually(() => seen.length === 1);
    first.hold();
    const second = keeper();
    expect(second.issued.map(({ cert }) => cert)).toEqual(seen[0]!.map(({ cert }) => cert));
    second.start();
    await clock.advance(DAY);
    expect(server.issued).toBe(1);
    await clock.advance(60 * DAY);
    await eventually(() => server.issued === 2);
    expect(server.contacts).toHaveLength(1);
  });

  it("are renewed with thirty days left, and with a third where they are short-lived", async () => {
    const { keeper, server, seen, clock } = await scene();
    keeper().start();
    await eventually(() => seen.length === 1);
    await clock.advance(59 * DAY);
    expect(server.issued).toBe(1);
    server.life = 6 * DAY;
    await clock.advance(1 * DAY + 3_600_000);
    await eventually(() => seen.length === 2);
    expect(seen[1]![0]!.cert).not.toBe(seen[0]![0]!.cert);
    await clock.advance(3.9 * DAY);
    expect(server.issued).toBe(2);
    await clock.advance(0.2 * DAY);
    await eventually(() => seen.length === 3);
  });

  it("stay in service while the authority refuses, which is asked ever more seldom", async () => {
    const { keeper, server, seen, clock, lines } = await scene();
    const running = keeper();
    running.start();
    await eventually(() => seen.length === 1);
    server.broken = "too many certificates already";
    await clock.advance(60 * DAY + 1000);
    await eventually(() => running.orders.failure === 1);
    expect(lines.at(-1)).toMatch(
      /^tls\.acme: the certificate for api\.test serves on until .* and is tried again in 4 min: .*too many certificates already/,
    );
    expect(running.issued).toEqual(seen[0]);
    for (const minutes of [4, 8, 15]) {
      const before = running.orders.failure;
      await clock.advance(minutes * 60_000);
      await eventually(() => running.orders.failure === before + 1);
    }
    server.broken = undefined;
    await clock.advance(3_600_000);
    await eventually(() => running.orders.success === 2);
    expect(seen).toHaveLength(2);
  });

  it("are missing, and this is said, where the authority cannot reach the host", async () => {
    const { keeper, server, lines, seen, port80, folder } = await scene();
    await port80.close();
    keeper().start();
    await eventually(() => lines.length === 1);
    expect(lines[0]).toMatch(
      /^tls\.acme: the certificate for api\.test is missing and is tried again in 4 min: .*proof/,
    );
    expect([server.issued, seen.length]).toEqual([0, 0]);
    expect(readdirSync(folder())).toEqual(["account.key"]);
  });

  it("are missing, and this is said, where there is no authority", async () => {
    const { keeper, server, lines } = await scene();
    await server.close();
    keeper().start();
    await eventually(() => lines.length === 1);
    expect(lines[0]).toMatch(/is missing and is tried again in 4 min: the authority cannot be reached/);
    server.close = async () => {};
  }, 30_000);

  it("are ordered anew where the file of one is cut off", async () => {
    const { keeper, server, seen, folder, lines } = await scene();
    const first = keeper();
    first.start();
    await eventually(() => seen.length === 1);
    first.hold();
    truncateSync(join(folder(), "api.test.pem"), 300);
    const second = keeper();
    expect(second.issued).toEqual([]);
    expect(lines.at(-1)).toMatch(/api\.test\.pem is cut off .* Another is ordered\.$/);
    second.start();
    await eventually(() => server.issued === 2);
    await eventually(() => seen.length === 2);
    expect(readFileSync(join(folder(), "api.test.pem"), "utf8")).toContain(seen[1]![0]!.cert.slice(30, 90));
  });

  it("are not written by a router that has handed its state folder over", async () => {
    const { keeper, server, seen, folder, clock } = await scene();
    const running = keeper();
    const written: boolean[] = [];
    server.now = () => {
      written.push(existsSync(join(folder(), "api.test.pem")));
      if (written.length === 1) running.hold(); // in the middle of the order
      return clock.now();
    };
    running.start();
    await eventually(() => server.issued === 1);
    running.start(); // it has the folder again
    await eventually(() => seen.length === 1);
    expect(written).toEqual([false, false]);
    expect(running.orders).toEqual({ success: 1, failure: 0 });
  });
});

describe("the authority of these tests", () => {
  it("refuses who does not agree to the terms, and orders without a proof", async () => {
    const { keeper, server, lines } = await scene({ agree_to_terms: false });
    keeper().start();
    await eventually(() => lines.length === 1);
    expect(lines[0]).toMatch(/terms of service were not agreed to/);
    expect(server.refusals).toEqual(["the terms of service were not agreed to"]);
  });
});
