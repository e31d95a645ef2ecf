import type { Gate } from "../rollout/ports.ts";
import type { Shadows } from "./shadows.ts";

/**
 * Before its first step a rollout can ask for the certificate: fewer than 1 % of the candidate's predictions disagree with the
 * stable color's on the same requests, at 95 %. While the candidate is the shadow it waits for that.
 */
export function shadowGate(shadows: Shadows): Gate {
  return {
    name: "shadow",
    usual: () => false,
    check: async ({ candidate, stable, expect }) => {
      if (expect === "better")
        return { ok: false, detail: "a better model disagrees, too: this gate is for expect: same" };
      const { passed, sentence } = shadows.certificate(stable.digest, candidate.digest);
      if (passed) return { ok: true, detail: sentence };
      const { running } = shadows;
      const compares = running?.color === candidate.color && running.against === stable.color;
      if (compares && shadows.compares) return { waiting: sentence };
      const why = compares
        ? "the configuration has no `predictions`, so nothing is compared"
        : `${candidate.color} is not the shadow of ${stable.color}: sluice shadow start ${candidate.color}`;
      return { ok: false, detail: `${sentence}, and ${why}` };
    },
  };
}
