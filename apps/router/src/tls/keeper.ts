import { randomBytes } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { Config } from "../config/config.ts";
import { StartError } from "../control/start-error.ts";
import type { Clock } from "../core/clock.ts";
import type { CertificateFacts } from "./facts.ts";
import { type AnyFiles, type Files, filesOf, openFiles } from "./files.ts";
import { day, invalidity, type LoadedPair } from "./load-pair.ts";
import type { ServerMaterial, TlsMaterial } from "./material.ts";
import type { WatchedFiles } from "./watched-file.ts";

/** How often session tickets get new keys, in milliseconds: what one key seals can be read by whoever steals it. */
const TICKET_KEYS_LIVE = 12 * 3_600_000;
/** How often files are looked at where clients speak plain HTTP, and only targets or the admin API do not. */
const USUAL_WATCH = 5000;

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface KeeperOptions {
  readonly config: Config;
  readonly log: { readonly info: Write; readonly warn: Write; readonly error: Write };
  readonly clock: Clock;
}

export interface AdminMaterial extends SecureContextOptions {
  readonly requestCert: boolean;
}

/**
 * Has every certificate and key of the router, reads them anew when their files change, and says so. What cannot be used
 * leaves the old one in service.
 */
export class CertificateKeeper {
  readonly reloads = { success: 0, failure: 0 };
  /** Called when new connections are to show, or to expect, something else. */
  onMaterial: (material: TlsMaterial) => void = () => {};
  onAdmin: (material: AdminMaterial) => void = () => {};
  readonly #log: KeeperOptions["log"];
  readonly #clock: Clock;
  #files: Files;
  #issued: readonly (LoadedPair & { readonly file: string })[] = [];
  #ticketKeys = randomBytes(48).toString("base64");
  #cancel: (() => void)[] = [];
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();

  /** @throws StartError a file cannot be used; the message names the option, the file and the reason */
  constructor({ config, log, clock }: KeeperOptions) {
    this.#log = log;
    this.#clock = clock;
    try {
      this.#files = openFiles(config, clock);
    } catch (error) {
      throw new StartError((error as Error).message, { cause: error });
    }
    for (const [file, pair] of this.#pairs()) this.#warn(file.key, pair);
    if (!config.upstream_tls.verify)
      log.warn({}, "upstream_tls.verify is false: targets' certificates are not checked.");
  }

  get material(): TlsMaterial {
    const { upstreamCa, upstreamPair, config } = this.#files;
    const { server_name: serverName, verify } = config.upstream_tls;
    const pair = upstreamPair && { cert: upstreamPair.value.cert, key: upstreamPair.value.key };
    return { server: this.#server(), upstream: { ca: upstreamCa?.value, pair, serverName, verify } };
  }

  /** For the admin port; undefined where it speaks plain HTTP. */
  get admin(): AdminMaterial | undefined {
    const { admin, clientCa } = this.#files;
    if (!admin) return undefined;
    const { cert, key } = admin.value;
    return { cert, key, requestCert: clientCa !== undefined, ...(clientCa ? { ca: clientCa.value } : {}) };
  }

  /** Certificates that clients are shown. */
  get facts(): CertificateFacts[] {
    const { config } = this.#files;
    const files = this.#files.certificates.map(({ value }, i) => ({
      ...value,
      file: config.tls!.certificates[i]!.cert,
    }));
    const admin = this.#files.admin ? [{ ...this.#files.admin.value, file: config.admin.tls!.cert }] : [];
    const all = [...files, ...this.#issued, ...admin].map(({ names, file, notAfter }) => ({
      name: names[0] ?? "",
      file,
      notAfter,
    }));
    return [...new Map(all.map((each) => [each.file, each])).values()]; // one may serve in two places
  }

  /** Hosts that clients may ask for, as the certificates have them. */
  get names(): string[] {
    return [...this.#files.certificates.map(({ value }) => value), ...this.#issued].flatMap(
      ({ names }) => names,
    );
  }

  /** Why no client could be served, in a sentence; undefined where they can be. */
  unready(): string | undefined {
    if (!this.#files.config.tls || this.#files.certificates.length + this.#issued.length > 0)
      return undefined;
    return "No certificate is there yet: the ACME authority has not issued any.";
  }

  /** What an ACME authority has issued, besides what is in files. */
  issue(issued: readonly (LoadedPair & { readonly file: string })[]): void {
    this.#issued = issued;
    this.onMaterial(this.material);
  }

  /** Begins to watch. */
  start(): void {
    const clock = this.#clock;
    const next = () => {
      this.#cancel[0] = clock.after(
        this.#files.config.tls?.watch ?? USUAL_WATCH,
        () => void this.look().then(next),
      );
    };
    const rotate = () => {
      this.#cancel[1] = clock.after(TICKET_KEYS_LIVE, () => {
        this.#ticketKeys = randomBytes(48).toString("base64");
        this.onMaterial(this.material);
        rotate();
      });
    };
    this.#looking = this.#begin();
    next();
    if (this.#files.config.tls) rotate();
  }

  stop(): void {
    for (const cancel of this.#cancel) cancel();
    this.#cancel = [];
    this.#stopped = true;
  }

  /** Looks at every file now. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => (this.#stopped ? undefined : this.#lookNow()));
    return this.#looking;
  }

  /**
   * Reads everything for another configuration; what it gives back takes it into service.
   * @throws Error in one sentence; nothing has changed
   */
  prepare(config: Config): () => void {
    let files: Files;
    try {
      files = openFiles(config, this.#clock, this.#files);
    } catch (error) {
      this.reloads.failure++;
      throw error;
    }
    return () => {
      this.#files = files;
      if (filesOf(files).length > 0) this.reloads.success++;
      for (const [file, pair] of this.#pairs()) this.#warn(file.key, pair);
      this.#looking = this.#begin();
      this.onMaterial(this.material);
      if (this.admin) this.onAdmin(this.admin);
    };
  }

  #server(): ServerMaterial | undefined {
    const { config, certificates } = this.#files;
    if (!config.tls) return undefined;
    const pairs = [...certificates.map(({ value }) => value), ...this.#issued];
    return {
      certificates: pairs.map(({ cert, key }) => ({ cert, key })),
      ticketKeys: this.#ticketKeys,
      minVersion: `TLSv${config.tls.min_version}`,
      strictSni: config.tls.strict_sni,
    };
  }

  #pairs(): [WatchedFiles<LoadedPair>, LoadedPair][] {
    const { certificates, upstreamPair, admin } = this.#files;
    return [...certificates, upstreamPair, admin].flatMap((each) => (each ? [[each, each.value]] : []));
  }

  async #begin(): Promise<void> {
    await Promise.all(filesOf(this.#files).map((each) => each.begin()));
  }

  async #lookNow(): Promise<void> {
    const files = this.#files;
    const changed: AnyFiles[] = [];
    for (const each of filesOf(this.#files)) {
      const looked = await each.look();
      if (this.#files !== files) return; // another configuration was taken over meanwhile
      if (looked.kind === "failed") this.#failed(each.key, looked.why);
      if (looked.kind === "changed") changed.push(each);
    }
    for (const each of changed) this.#taken(each);
    if (changed.length === 0) return;
    const { admin, clientCa } = files;
    if (changed.some((each) => each !== admin && each !== clientCa)) this.onMaterial(this.material);
    if (changed.some((each) => each === admin || each === clientCa)) this.onAdmin(this.admin!);
  }

  #failed(key: string, why: string): void {
    this.reloads.failure++;
    this.#log.error({ option: key }, `${key}: the old one stays in service: ${why}`);
  }

  #taken(file: AnyFiles): void {
    this.reloads.success++;
    const pair = this.#pairs().find(([each]) => each === file)?.[1];
    const about = pair
      ? { names: pair.names, not_after: new Date(pair.notAfter).toISOString(), serial: pair.serial }
      : {};
    const until = pair ? `, valid until ${day(pair.notAfter)}` : "";
    this.#log.info(
      { option: file.key, ...about },
      `${file.key}: the files have changed and were taken over${until}.`,
    );
    if (pair) this.#warn(file.key, pair);
  }

  #warn(key: string, pair: LoadedPair): void {
    for (const warning of pair.warnings) this.#log.warn({ option: key }, `${key}: ${warning}`);
    const why = invalidity(pair, this.#clock.now());
    if (why)
      this.#log.warn({ option: key }, `${key}: the certificate for ${pair.names[0] ?? "no host"} ${why}.`);
  }
}
