import type { AffinityConfig } from "../config/config.ts";
import { cookieValue, queryValue, type RequestFacts } from "../core/request-facts.ts";

/** By what a client keeps its color. */
export interface AffinityKey {
  /** Undefined where the client brings none, and cannot be given one: its color is drawn as if without affinity. */
  readonly key: string | undefined;
  /** Value of a `Set-Cookie` field that gives a new client its key. */
  readonly setCookie?: string;
}

export type ReadAffinity = (facts: RequestFacts) => AffinityKey;

/**
 * How a request's affinity key is found; undefined without affinity. A key that the router makes counts for the request
 * that it was made for, too, or a client's first answer would come from another color than all that follow.
 */
export function affinityReader(config: AffinityConfig, newKey: () => string): ReadAffinity | undefined {
  if (config.kind === "none") return undefined;
  const { kind, name } = config;
  const lower = name.toLowerCase();
  if (kind === "header") return (facts) => ({ key: facts.header(lower) || undefined });
  if (kind === "query") return (facts) => ({ key: queryValue(facts.path, name) });
  return (facts) => {
    const known = cookieValue(facts.header("cookie"), name);
    if (known !== undefined) return { key: known };
    const key = newKey();
    return { key, setCookie: `${name}=${key}; Path=/; HttpOnly; SameSite=Lax` };
  };
}
