import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import type { AdminEnv } from "./env.ts";

const LONGEST = 100;

/**
 * Who sends this request, for the history: the name that `X-Sluice-Actor` claims, else the token's scope, and the
 * address it comes from. A claim, not a proof: whoever has the token may name anybody.
 */
export function actor(c: Context<AdminEnv>): string {
  const claimed = c.req
    .header("X-Sluice-Actor")
    ?.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "")
    .trim()
    .slice(0, LONGEST);
  const scope = c.get("scope");
  const name = claimed || (scope === undefined ? "" : `token (${scope})`);
  return [name, address(c)].filter((part) => part !== "").join(", ");
}

function address(c: Context): string {
  try {
    return (getConnInfo(c).remote.address ?? "").replace(/^::ffff:/, "");
  } catch {
    return "local"; // called without a socket
  }
}
