import { createHash, timingSafeEqual } from "node:crypto";
import type { OverrideConfig } from "../config/config.ts";
import { cookieValue, type RequestFacts } from "../core/request-facts.ts";
import { type Contains, networks } from "./networks.ts";

/** Who may choose a color by name. Believed are clients from `from`, and whoever knows the secret. */
export class OverrideRule {
  readonly #config: OverrideConfig;
  readonly #from: Contains;
  readonly #secret: Buffer | undefined;

  constructor(config: OverrideConfig) {
    this.#config = config;
    this.#from = networks(config.from);
    this.#secret = config.secret === undefined ? undefined : digest(config.secret);
  }

  /** The color that the request names, if it may; undefined otherwise. `client` gives the client's own address. */
  wanted(facts: RequestFacts, client: () => string): string | undefined {
    const { header, cookie } = this.#config;
    const name =
      (header && facts.header(header)) ??
      (cookie && cookieValue(facts.header("cookie"), cookie)) ??
      undefined;
    return name && this.#believes(facts, client) ? name : undefined;
  }

  #believes(facts: RequestFacts, client: () => string): boolean {
    if (this.#from(client())) return true;
    const told = facts.header("x-sluice-secret");
    if (told === undefined || this.#secret === undefined) return false;
    return timingSafeEqual(digest(told), this.#secret);
  }
}

/** Hashes have one length, so that the comparison takes the same time for any guess. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
