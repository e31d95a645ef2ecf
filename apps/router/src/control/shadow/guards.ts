import { rateGuard, shiftGuard } from "../../core/verdict/guards.ts";
import { number, only } from "../rollout/guard-kinds.ts";
import type { GuardKind } from "../rollout/ports.ts";

/** The guards that look at what is in answers with status 200. */
export const ANSWER_GUARDS: readonly GuardKind[] = [answers(), shift()];

const NOTHING_READ =
  'the configuration has no `predictions`, so no answer is read; expected a pointer such as "/predictions/*/fare_amount" there.';

/** Answers with no good prediction: not JSON, missing, null (NaN), no number, out of range. */
function answers(): GuardKind {
  return {
    name: "answers",
    usual: ({ predictions }) => predictions,
    make: (options, { predictions }) => {
      const { phi0 = 1, max } = only(options, "answers", ["phi0", "max"]);
      if (!predictions) throw new RangeError(`guards.answers: ${NOTHING_READ}`);
      const tally = "answers";
      const absolute =
        max === undefined
          ? []
          : [{ kind: "absolute", name: "bad answers", tally, max: number(max, "answers.max") } as const];
      return {
        rollback: [rateGuard("answers", tally, number(phi0, "answers.phi0")), ...absolute],
        tallies: [{ name: tally, kind: "answers" }],
      };
    },
  };
}

/** Predictions that lie elsewhere than the stable color's on the same minutes, by its quartiles at the start. */
function shift(): GuardKind {
  return {
    name: "shift",
    usual: ({ expect, reference }) => expect === "same" && reference !== undefined,
    make: (options, { predictions, reference }) => {
      only(options, "shift", []);
      if (!predictions) throw new RangeError(`guards.shift: ${NOTHING_READ}`);
      if (reference === undefined) {
        throw new RangeError(
          "guards.shift: too few predictions of the stable color are known to freeze its quartiles; expected at least 100 since it runs this version.",
        );
      }
      // the limit is part of the name, because evidence is kept by it
      const [above, below] = [reference.q75, reference.q25];
      const [high, low] = [`high:${above}`, `low:${below}`];
      return {
        rollback: [shiftGuard("predictions high", high), shiftGuard("predictions low", low)],
        tallies: [
          { name: high, kind: "shift", parameters: { above } },
          { name: low, kind: "shift", parameters: { below } },
        ],
      };
    },
  };
}
