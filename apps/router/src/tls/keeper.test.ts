import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { selfSigned, TestAuthority } from "../../test/support/certificates.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { closing } from "../../test/support/open.ts";
import { TEST_CONFIG, TEST_TLS } from "../../test/support/plane.ts";
import type { Config } from "../config/config.ts";
import { CertificateKeeper } from "./keeper.ts";
import type { KeyPair, TlsMaterial } from "./material.ts";

const open = closing();
const HOUR = 3_600_000;
const clock0 = new FakeClock().now();
const authority = await TestAuthority.create();
const valid = { from: new Date(clock0 - HOUR), to: new Date(clock0 + 2400 * HOUR) };
const [old, fresh] = [
  await authority.issue({ ...valid, names: ["old.test"] }),
  await authority.issue({ ...valid, names: ["new.test"] }),
];
const expired = await authority.issue({ from: new Date(clock0 - 9 * HOUR), to: new Date(clock0 - HOUR) });
const early = await authority.issue({ from: new Date(clock0 + HOUR), to: new Date(clock0 + 9 * HOUR) });

/** A folder with a certificate and its key, and what keeps them. */
function scene(pair: KeyPair = old) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tls-"));
  open({ close: () => rmSync(folder, { recursive: true, force: true }) });
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const put = ({ cert, key }: KeyPair, to = files) => {
    writeFileSync(to.cert, cert);
    writeFileSync(to.key, key, { mode: 0o600 });
  };
  put(pair);
  const config: Config = { ...TEST_CONFIG, tls: { ...TEST_TLS, certificates: [files] } };
  const clock = new FakeClock();
  const lines: string[] = [];
  const note = (level: string) => (_: object, line: string) => void lines.push(`${level}: ${line}`);
  const log = { info: note("info"), warn: note("warn"), error: note("error") };
  const shown: TlsMaterial[] = [];
  const keep = (changes: Partial<Config> = {}) => {
    const keeper = new CertificateKeeper({ config: { ...config, ...changes }, log, clock });
    keeper.onMaterial = (material) => void shown.push(material);
    open({ close: () => keeper.stop() });
    return keeper;
  };
  return { folder, files, put, config, clock, lines, shown, keep };
}

/** What is shown now. */
const certOf = ({ material }: CertificateKeeper) => material.server!.certificates[0]!.cert;

/** A keeper that watches, and has seen the files as they are. */
async function watching(parts: ReturnType<typeof scene>, changes: Partial<Config> = {}) {
  const keeper = parts.keep(changes);
  keeper.start();
  await keeper.look();
  return keeper;
}

/** Looks once, or as often as what is doubtful is looked at. */
async function look(keeper: CertificateKeeper, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await keeper.look();
}

describe("files of certificates", () => {
  it("are taken over when they are written anew, and the log says until when", async () => {
    const parts = scene();
    const keeper = await watching(parts);
    parts.put(fresh);
    await look(keeper);
    expect(certOf(keeper)).toBe(fresh.cert);
    expect(parts.shown).toHaveLength(1);
    expect(keeper.reloads).toEqual({ success: 1, failure: 0 });
    expect(parts.lines.at(-1)).toMatch(
      /^info: tls\.certificates\[0\]: the files have changed and were taken over, valid until 20/,
    );
    await look(keeper, 3);
    expect(parts.shown).toHaveLength(1);
  });

  it("are taken over by a swapped link, as certbot does", async () => {
    const parts = scene();
    const { folder, files } = parts;
    const version = (n: number) => ({ cert: join(folder, `cert${n}.pem`), key: join(folder, `key${n}.pem`) });
    parts.put(old, version(1));
    parts.put(fresh, version(2));
    const link = (n: number) => {
      for (const what of ["cert", "key"] as const) {
        symlinkSync(version(n)[what], `${files[what]}.link`);
        renameSync(`${files[what]}.link`, files[what]);
      }
    };
    link(1);
    const keeper = await watching(parts);
    link(2);
    await look(keeper);
    expect(certOf(keeper)).toBe(fresh.cert);
  });

  it("are taken over by a swapped folder, as in Kubernetes", async () => {
    const parts = scene();
    const { folder, config } = parts;
    const at = (name: string) => ({
      cert: join(folder, name, "tls.crt"),
      key: join(folder, name, "tls.key"),
    });
    for (const [name, pair] of [
      ["..1", old],
      ["..2", fresh],
    ] as const) {
      mkdirSync(join(folder, name));
      parts.put(pair, at(name));
    }
    symlinkSync("..1", join(folder, "..data"));
    const keeper = await watching(parts, { tls: { ...config.tls!, certificates: [at("..data")] } });
    expect(certOf(keeper)).toBe(old.cert);
    symlinkSync("..2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    await look(keeper);
    expect(certOf(keeper)).toBe(fresh.cert);
  });

  it("are looked at by the clock", async () => {
    const parts = scene();
    const keeper = await watching(parts);
    parts.put(fresh);
    await parts.clock.advance(TEST_TLS.watch);
    while (parts.shown.length === 0) await settle();
    expect(certOf(keeper)).toBe(fresh.cert);
  });

  it("may be replaced one after the other, without an alarm in between", async () => {
    const parts = scene();
    const keeper = await watching(parts);
    writeFileSync(parts.files.cert, fresh.cert);
    await look(keeper);
    expect(certOf(keeper)).toBe(old.cert);
    writeFileSync(parts.files.key, fresh.key);
    await look(keeper);
    expect(certOf(keeper)).toBe(fresh.cert);
    expect(keeper.reloads).toEqual({ success: 1, failure: 0 });
    expect(parts.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  const FAULTS: Readonly<Record<string, [(parts: ReturnType<typeof scene>) => void, RegExp]>> = {
    "is gone": [({ files }) => rmSync(files.cert), /cert\.pem cannot be used: there is no such file\.$/],
    "is cut off": [({ files }) => truncateSync(files.cert, 200), /cert\.pem is cut off or damaged/],
    "is empty": [
      ({ files }) => truncateSync(files.key, 0),
      /key\.pem is empty; expected a private key in PEM\.$/,
    ],
    "is something else": [
      ({ files }) => writeFileSync(files.cert, "hello"),
      /cert\.pem is not PEM; expected a certificate/,
    ],
    "is a folder": [
      ({ files }) => {
        rmSync(files.key);
        mkdirSync(files.key);
      },
      /key\.pem is a folder; expected a file\.$/,
    ],
    "has damaged bytes": [
      ({ files }) =>
        writeFileSync(files.cert, old.cert.replace(/\n[A-Za-z0-9+/]{20}/, "\nAAAAAAAAAAAAAAAAAAAA")),
      /cert\.pem is damaged: certificate 1 in it cannot be read\.$/,
    ],
    "belongs to another key": [
      ({ files }) => writeFileSync(files.cert, fresh.cert),
      /key\.pem does not belong to the certificate in .*cert\.pem\.$/,
    ],
    "begins with the authority's certificate": [
      ({ files }) => writeFileSync(files.cert, authority.cert + old.cert),
      /cert\.pem begins with another certificate than .*key\.pem's/,
    ],
    "is locked": [
      ({ files }) => writeFileSync(files.key, old.key.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")),
      /key\.pem is locked with a passphrase/,
    ],
    "has expired": [({ put }) => put(expired), /cert\.pem has expired on 20.* UTC\.$/],
    "is not yet valid": [({ put }) => put(early), /cert\.pem is not valid before 20.* UTC\.$/],
  };

  it.each(Object.entries(FAULTS))(
    "leave the old one in service where a new one %s, and say so once",
    async (_, [spoil, why]) => {
      const parts = scene();
      const keeper = await watching(parts);
      spoil(parts);
      await look(keeper, 5);
      expect(certOf(keeper)).toBe(old.cert);
      expect(parts.shown).toEqual([]);
      const errors = parts.lines.filter((line) => line.startsWith("error"));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(/^error: tls\.certificates\[0\]: the old one stays in service: /);
      expect(errors[0]).toMatch(why);
      expect(keeper.reloads).toEqual({ success: 0, failure: 1 });
      expect(() => keeper.prepare(parts.config)).toThrow(why);
      rmSync(parts.files.key, { recursive: true, force: true });
      parts.put(fresh);
      await look(keeper, 2);
      expect(certOf(keeper)).toBe(fresh.cert);
    },
  );

  const AT_START = Object.entries(FAULTS).filter(([name]) => !/expired|not yet/.test(name));
  it.each(AT_START)("refuse to start where one %s, in one sentence", (_, [spoil, why]) => {
    const parts = scene();
    spoil(parts);
    expect(() => parts.keep()).toThrow(why);
    expect(() => parts.keep()).toThrow(/^tls\.certificates\[0\]: \//);
  });

  it.each([
    ["expired", expired],
    ["early", early],
  ])("start with a warning where one is %s, and take a valid one", async (_, pair) => {
    const parts = scene(pair);
    const keeper = await watching(parts);
    expect(parts.lines[0]).toMatch(/^warn: .*(has expired on|is not valid before)/);
    parts.put(fresh);
    await look(keeper);
    expect(certOf(keeper)).toBe(fresh.cert);
  });

  it("get a warning where every user may read the key", () => {
    const parts = scene();
    chmodSync(parts.files.key, 0o644);
    parts.keep();
    expect(parts.lines).toEqual([
      `warn: tls.certificates[0]: ${parts.files.key} can be read by every user of this machine; give it the mode 0600 or 0640.`,
    ]);
  });

  it("are other ones after a reload of the configuration", async () => {
    const parts = scene();
    const keeper = await watching(parts);
    const other = { cert: join(parts.folder, "other.pem"), key: join(parts.folder, "other.key") };
    parts.put(fresh, other);
    const commit = keeper.prepare({
      ...parts.config,
      tls: { ...parts.config.tls!, certificates: [other], min_version: "1.3" },
    });
    expect(certOf(keeper)).toBe(old.cert);
    commit();
    expect(certOf(keeper)).toBe(fresh.cert);
    expect(parts.shown.at(-1)!.server!.minVersion).toBe("TLSv1.3");
    expect(keeper.facts).toMatchObject([
      { name: "new.test", file: other.cert, notAfter: valid.to.getTime() },
    ]);
  });

  it("are watched for targets and for the admin port, too", async () => {
    const parts = scene();
    const { folder, files } = parts;
    const ca = join(folder, "ca.pem");
    writeFileSync(ca, authority.cert);
    const upstream_tls = { ca, cert: files.cert, key: files.key, server_name: "model", verify: true };
    const admin = { ...TEST_CONFIG.admin, tls: { ...files, client_ca: ca } };
    const keeper = await watching(parts, { tls: undefined, upstream_tls, admin });
    const secured: unknown[] = [];
    keeper.onAdmin = (material) => void secured.push(material);
    expect(keeper.material).toEqual({
      server: undefined,
      upstream: { ca: authority.cert, pair: old, serverName: "model", verify: true },
    });
    expect(keeper.admin).toEqual({ ...old, ca: authority.cert, requestCert: true });
    const other = await selfSigned();
    writeFileSync(ca, other.cert);
    parts.put(fresh);
    await look(keeper);
    expect(parts.shown.at(-1)!.upstream).toMatchObject({ ca: other.cert, pair: fresh });
    expect(secured.at(-1)).toMatchObject({ ...fresh, ca: other.cert });
  });

  it("do not keep a ticket's key for more than half a day", async () => {
    const parts = scene();
    const keeper = await watching(parts);
    const before = keeper.material.server!.ticketKeys;
    expect(Buffer.from(before, "base64")).toHaveLength(48);
    await parts.clock.advance(12 * HOUR);
    expect(keeper.material.server!.ticketKeys).not.toBe(before);
  });
});
