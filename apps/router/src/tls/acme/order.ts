import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import type { AcmeConfig } from "../../config/config.ts";
import type { AcmeStore, Issued } from "./store.ts";

/** Milliseconds that one answer of the authority may take. */
const PATIENCE = 30_000;
/** Milliseconds between two questions whether it has made up its mind. */
const POLL = { backoffMin: 1000, backoffMax: 15_000, backoffAttempts: 20 };

export interface OrderOptions {
  readonly config: AcmeConfig;
  readonly store: AcmeStore;
  /** What the port for plain HTTP answers, by token. */
  readonly challenges: Map<string, string>;
  /** True once the certificate is for somebody else to have: nothing is written any more. */
  readonly isOver: () => boolean;
}

/**
 * Has a certificate issued for one host (RFC 8555), by HTTP-01.
 * @throws Error why not, in the authority's words
 */
export async function order(domain: string, options: OrderOptions): Promise<Issued> {
  const { config, store, challenges, isOver } = options;
  // Heavy, and only needed a few times in a quarter of a year.
  const acme = (await import("acme-client")).default;
  const { defaults } = acme.axios;
  defaults.timeout = PATIENCE;
  defaults.proxy = false;
  Object.assign(defaults, {
    acmeSettings: { ...Object(Reflect.get(defaults, "acmeSettings")), retryMaxAttempts: 0 },
  });
  defaults.httpsAgent = config.ca === undefined ? undefined : new Agent({ ca: readFileSync(config.ca) });
  const client = new acme.Client({ directoryUrl: config.directory, accountKey: await accountKey(), ...POLL });
  const [key, csr] = await acme.crypto.createCsr(
    { altNames: [domain] },
    await acme.crypto.createPrivateEcdsaKey("P-256"),
  );
  const cert = await client.auto({
    csr,
    ...(config.email === undefined ? {} : { email: config.email }),
    termsOfServiceAgreed: config.agree_to_terms,
    challengePriority: ["http-01"],
    skipChallengeVerification: true, // from here the host may look different than from outside
    challengeCreateFn: async (_, { type, token }, proof) => {
      if (type !== "http-01") throw new Error(`the authority offers ${type}, but no http-01, for ${domain}`);
      challenges.set(token, proof);
    },
    challengeRemoveFn: async (_, { token }) => void challenges.delete(token),
  });
  if (isOver()) throw new Error("this router has handed over to another one");
  return await store.save(domain, key.toString(), cert);

  async function accountKey(): Promise<string> {
    const known = store.accountKey();
    if (known !== undefined) return known;
    const created = (await acme.crypto.createPrivateEcdsaKey("P-256")).toString();
    await store.saveAccountKey(created);
    return created;
  }
}

/** What went wrong, in one line without a stack. */
export function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  // acme-client 5.4 trips over itself where no answer has come at all
  if (error instanceof TypeError && /reading 'config'/.test(message))
    return "the authority cannot be reached";
  const text = (message || code || String(error)).replace(/\s+/g, " ").trim();
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
