import { parseDuration } from "../../config/units.ts";
import { rateGuard } from "../../core/verdict/guards.ts";
import type { GuardKind } from "./ports.ts";

/** The guards that a rollout can name, in the order in which they are shown. Further ones are added here. */
export const GUARD_KINDS: readonly GuardKind[] = [errors(), slow(), rejected(), objective()];

/** The least rate of 5xx, resets, time-outs and invalid answers that the candidate must show it stays under. */
const PROMOTION_LIMIT = 0.01;
const OBJECTIVE = 0.05;

/** Failed requests: more than the stable color's roll back; below `promote_below` promotes. */
function errors(): GuardKind {
  return {
    name: "errors",
    usual: () => true,
    make: (options) => {
      const { phi0 = 1, promote_below = PROMOTION_LIMIT } = only(options, "errors", [
        "phi0",
        "promote_below",
      ]);
      const below = { kind: "below", name: "few errors", tally: "errors" } as const;
      return {
        rollback: [rateGuard("errors", "errors", number(phi0, "errors.phi0"))],
        promotion:
          promote_below === null ? [] : [{ ...below, max: number(promote_below, "errors.promote_below") }],
        tallies: [{ name: "errors", kind: "errors" }],
      };
    },
  };
}

/** Answers slower than `after`, at most `phi0` times as often as the stable color's. */
function slow(): GuardKind {
  return {
    name: "slow",
    usual: ({ slowAfter }) => slowAfter !== undefined,
    make: (options, { slowAfter }) => {
      const { after, phi0 = 1.2 } = only(options, "slow", ["after", "phi0"]);
      const limit = after === undefined ? slowAfter : duration(after, "slow.after");
      if (limit === undefined) {
        throw new RangeError(
          'guards.slow: "after" is missing, and too little is known of the stable color to take its 95th percentile; expected a duration such as "250ms".',
        );
      }
      const name = `slow:${limit}ms`;
      return {
        rollback: [rateGuard("slow", name, number(phi0, "slow.phi0"))],
        tallies: [{ name, kind: "slow", parameters: { after: limit } }],
      };
    },
  };
}

/** The candidate's own 4xx answers (but 401, 403 and 429), and the same as a status of gRPC: a broken schema refuses everybody. */
function rejected(): GuardKind {
  return {
    name: "rejected",
    usual: () => true,
    make: (options) => {
      const { phi0 = 1 } = only(options, "rejected", ["phi0"]);
      return {
        rollback: [rateGuard("rejected", "rejected", number(phi0, "rejected.phi0"))],
        tallies: [{ name: "rejected", kind: "rejected" }],
      };
    },
  };
}

/** An absolute limit on failed requests, which also watches 100 %, where nothing can be compared. */
function objective(): GuardKind {
  return {
    name: "objective",
    usual: () => true,
    make: (options) => {
      const { max = OBJECTIVE } = only(options, "objective", ["max"]);
      return {
        rollback: [
          { kind: "absolute", name: "objective", tally: "errors", max: number(max, "objective.max") },
        ],
        tallies: [{ name: "errors", kind: "errors" }],
      };
    },
  };
}

/** Options with no other keys than these. @throws RangeError that names the key */
export function only<K extends string>(
  options: Readonly<Record<string, unknown>>,
  guard: string,
  keys: readonly K[],
): Partial<Record<K, unknown>> {
  const unknown = Object.keys(options).find((key) => !(keys as readonly string[]).includes(key));
  if (unknown === undefined) return options as Partial<Record<K, unknown>>;
  throw new RangeError(
    `guards.${guard} has no option ${JSON.stringify(unknown)}; expected ${keys.join(", ") || "none"}.`,
  );
}

/** @throws RangeError unless it is a finite number */
export function number(value: unknown, key: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new RangeError(`guards.${key} is ${JSON.stringify(value)}; expected a number.`);
}

/** Milliseconds. @throws RangeError unless it is a duration with its unit */
export function duration(value: unknown, key: string): number {
  try {
    if (typeof value === "string") return parseDuration(value);
  } catch {} // said below
  throw new RangeError(
    `guards.${key} is ${JSON.stringify(value)}; expected a duration with its unit, such as "250ms".`,
  );
}
