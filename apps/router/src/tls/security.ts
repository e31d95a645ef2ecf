import type { Config } from "../config/config.ts";
import { keepTls } from "../config/reload.ts";
import { Dialer } from "../targets/dialer.ts";
import { AcmeKeeper } from "./acme/acme-keeper.ts";
import type { Issued } from "./acme/store.ts";
import type { TlsFacts } from "./facts.ts";
import { type AdminMaterial, CertificateKeeper, type KeeperOptions } from "./keeper.ts";
import type { TlsMaterial } from "./material.ts";
import { Redirect } from "./redirect.ts";

export interface SecurityOptions extends KeeperOptions {
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** Everything about TLS outside the data plane: files, authorities, the port for plain HTTP, and how targets are checked. */
export class Security {
  /** For checks of targets. */
  readonly dialer = new Dialer();
  /** For `tls.redirect`; undefined where there is no such port. */
  readonly redirect: Redirect | undefined;
  readonly #options: SecurityOptions;
  readonly #keeper: CertificateKeeper;
  readonly #challenges = new Map<string, string>();
  #config: Config;
  #acme: AcmeKeeper | undefined;
  #port: number;
  #active = false;

  /** @throws StartError a file cannot be used */
  constructor(options: SecurityOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#port = options.config.listen.port;
    this.#keeper = new CertificateKeeper(options);
    this.dialer.use(this.#keeper.material.upstream);
    this.redirect = options.config.tls?.redirect && this.#createRedirect();
    this.#acme = this.#createAcme();
    if (this.#acme) this.#keeper.issue(this.#acme.issued);
  }

  get material(): TlsMaterial {
    return this.#keeper.material;
  }

  /** For the control plane's ports; undefined where they speak plain HTTP. */
  get admin(): AdminMaterial | undefined {
    return this.#keeper.admin;
  }

  get facts(): TlsFacts {
    return {
      certificates: this.#keeper.facts,
      reloads: this.#keeper.reloads,
      orders: this.#acme?.orders,
      redirects: this.redirect?.count ?? 0,
    };
  }

  /** Why no client could be served, in a sentence; undefined where they can be. */
  unready(): string | undefined {
    return this.#keeper.unready();
  }

  /** @param equip takes certificates into service @param secure the same for the control plane's ports */
  onChange(equip: (material: TlsMaterial) => void, secure: (admin: AdminMaterial) => void): void {
    this.#keeper.onMaterial = (material) => {
      this.dialer.use(material.upstream);
      equip(material);
    };
    this.#keeper.onAdmin = secure;
  }

  /** This router serves, on that port for HTTPS: files are watched, and certificates ordered. */
  start(port: number): void {
    this.#port = port;
    this.#active = true;
    this.#keeper.start();
    this.#acme?.start();
  }

  /** Another router is about to have the state folder, or is not after all. */
  hold(leaving: boolean): void {
    this.#active = !leaving;
    if (leaving) this.#acme?.hold();
    else this.#acme?.start();
  }

  stop(): void {
    this.#active = false;
    this.#keeper.stop();
    this.#acme?.hold();
  }

  /**
   * Reads every file for another configuration; what it gives back takes that into service.
   * @throws Error in one sentence; nothing has changed
   */
  prepare(next: Config): () => void {
    this.#keeper.prepare(next); // what waits for a restart must not make it fail
    const config = keepTls(this.#config, next);
    const commit = this.#keeper.prepare(config);
    return () => {
      const before = JSON.stringify(this.#config.tls?.acme);
      this.#config = config;
      commit();
      if (JSON.stringify(config.tls?.acme) !== before) this.#renewAcme();
    };
  }

  #renewAcme(): void {
    this.#acme?.hold();
    this.#acme = this.#createAcme();
    this.#keeper.issue(this.#acme?.issued ?? []);
    if (this.#active) this.#acme?.start();
  }

  #createAcme(): AcmeKeeper | undefined {
    const { tls, state } = this.#config;
    if (!tls?.acme || state === undefined) return undefined;
    const { clock, log, random = Math.random } = this.#options;
    const onIssued = (issued: readonly Issued[]) => this.#keeper.issue(issued);
    return new AcmeKeeper({
      config: tls.acme,
      state,
      clock,
      log,
      random,
      challenges: this.#challenges,
      onIssued,
    });
  }

  #createRedirect(): Redirect {
    return new Redirect({
      config: () => this.#config,
      port: () => this.#config.tls?.redirect_port ?? this.#port,
      challenges: this.#challenges,
      names: () => this.#keeper.names,
    });
  }
}
