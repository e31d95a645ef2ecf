import { z } from "zod";
import { parseDuration } from "../../config/units.ts";
import { check } from "./body.ts";
import type { AdminDeps } from "./deps.ts";
import { HttpProblem } from "./problems.ts";
import type { AdminRoute } from "./route.ts";

/** Milliseconds that a new program may take to serve, unless somebody says otherwise. */
export const UPGRADE_TIMEOUT = 30_000;
const LONGEST = 600_000;

export interface RunningProgram {
  readonly version: string;
  readonly pid: number;
}

/** The two programs of an upgrade that went well. */
export interface Upgraded {
  readonly from: RunningProgram;
  readonly to: RunningProgram;
}

/** @param timeout milliseconds until the new program has to serve @throws UpgradeError nothing has changed */
export type Upgrade = (timeout: number) => Promise<Upgraded>;

/** Why there was no upgrade, in a sentence; the router serves on as before. */
export class UpgradeError extends Error {
  /** `refused`: it was not tried. `failed`: it was. */
  readonly kind: "refused" | "failed";

  constructor(kind: "refused" | "failed", message: string) {
    super(message);
    this.name = "UpgradeError";
    this.kind = kind;
  }
}

export const noUpgrade: Upgrade = () =>
  Promise.reject(new UpgradeError("refused", "This router cannot be upgraded while it runs."));

const TIMEOUT = "How long the new program may take to serve, such as 30s; at most 10m. Default: 30s.";
const query = z.strictObject({ timeout: z.string().optional().meta({ description: TIMEOUT }) });
const program = z.object({ version: z.string(), pid: z.int() });

/** Starts the program that is on the disk now, on the same sockets. It needs a token for everything, if there are tokens. */
export function upgradeRoute({ upgrade }: AdminDeps): AdminRoute {
  return {
    method: "post",
    path: "/admin/upgrade",
    need: "upgrade",
    summary: "Starts the program that is on the disk now in this one's place, and answers once it serves.",
    query,
    answer: { schema: z.object({ from: program, to: program }), type: "application/json" },
    refusals: {
      400: "The timeout is malformed.",
      409: "An upgrade is not possible here, or not now.",
      500: "The new program did not get to serve; the old one goes on as before.",
    },
    handle: async (c) => {
      const timeout = readTimeout(check(query, c.req.query()).timeout);
      try {
        return c.json(await upgrade(timeout));
      } catch (error) {
        if (!(error instanceof UpgradeError)) throw error;
        throw new HttpProblem(error.kind === "refused" ? 409 : 500, error.message);
      }
    },
  };
}

function readTimeout(text: string | undefined): number {
  if (text === undefined) return UPGRADE_TIMEOUT;
  try {
    const timeout = parseDuration(text);
    if (timeout <= LONGEST) return timeout;
  } catch {} // said below
  throw new HttpProblem(
    400,
    `timeout: ${JSON.stringify(text)}; expected a duration with its unit, such as 30s, of at most 10m.`,
  );
}
