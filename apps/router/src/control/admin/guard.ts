import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import ipaddr from "ipaddr.js";
import type { AdminToken, Scope } from "../../config/config.ts";
import type { AdminEnv } from "./env.ts";
import { HttpProblem } from "./problems.ts";

/** What a route asks of a token. */
export type Need = "read" | "operate" | "feedback" | "upgrade";

const GRANTS: Readonly<Record<Scope, readonly Need[]>> = {
  all: ["read", "operate", "feedback", "upgrade"],
  operate: ["read", "operate"],
  read: ["read"],
  feedback: ["feedback"],
};

/** What a container's health check may ask without a token. */
const OPEN = new Set(["/healthz", "/readyz"]);

/**
 * With tokens: a bearer token on every request (RFC 6750). Without: only requests that a web page elsewhere cannot have
 * sent, that is, with a loopback `Host` (a rebound name is refused) and no foreign `Origin`.
 */
export function guard(tokens: () => readonly AdminToken[]): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    if (!OPEN.has(c.req.path)) {
      if (tokens().length > 0) c.set("scope", authenticate(c.req.header("Authorization"), tokens()));
      else refuseForeign(c.req.header("Host") ?? new URL(c.req.url).host, c.req.header("Origin"));
    }
    await next();
  };
}

/** Refuses a token that is valid but may not do this. */
export function mayDo(need: Need): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const scope = c.get("scope") ?? "all";
    if (!GRANTS[scope].includes(need)) {
      const challenge = `Bearer realm="sluice", error="insufficient_scope", scope="${need}"`;
      const detail = `The token's scope is "${scope}"; this needs "${need}".`;
      throw new HttpProblem(403, detail, { "WWW-Authenticate": challenge });
    }
    await next();
  };
}

function authenticate(header: string | undefined, tokens: readonly AdminToken[]): Scope {
  const given = /^Bearer +([^\s]+) *$/i.exec(header ?? "")?.[1];
  if (given === undefined) throw unauthorized("A token is needed: Authorization: Bearer TOKEN.", "");
  const digest = sha256(given);
  // every token is compared, in constant time, so that time says nothing of which one came close
  const found = tokens.filter(({ token }) => timingSafeEqual(sha256(token), digest));
  if (found[0] === undefined) throw unauthorized("The token is not valid.", ', error="invalid_token"');
  return found[0].scope;
}

function unauthorized(detail: string, error: string): HttpProblem {
  return new HttpProblem(401, detail, { "WWW-Authenticate": `Bearer realm="sluice"${error}` });
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

function refuseForeign(host: string, origin: string | undefined): void {
  if (!isLoopback(host)) {
    throw new HttpProblem(
      403,
      `Without a token only loopback is served, and ${JSON.stringify(host)} is another host.`,
    );
  }
  if (origin !== undefined && !sameHost(origin, host)) {
    throw new HttpProblem(
      403,
      `Without a token, requests of web pages from ${JSON.stringify(origin)} are refused.`,
    );
  }
}

function isLoopback(host: string): boolean {
  if (!URL.canParse(`http://${host}`) || /[/?#@\\]/.test(host)) return false;
  const name = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (name === "localhost") return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === "loopback";
}

function sameHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === new URL(`http://${host}`).host;
}
