/** Why a command of an administrator is refused: the code, what it is answered with, and a title for people. */
export const REFUSALS = {
  invalid_weights: { status: 400, title: "Invalid weights" },
  unknown_color: { status: 400, title: "Unknown color" },
  invalid_targets: { status: 400, title: "Invalid targets" },
  no_healthy_target: { status: 409, title: "No healthy target" },
  nothing_to_undo: { status: 409, title: "Nothing to undo" },
  color_has_weight: { status: 409, title: "The color has weight" },
  rollout_runs: { status: 409, title: "A rollout runs" },
  rollout_not_possible: { status: 409, title: "The rollout is not possible now" },
  nothing_to_copy: { status: 409, title: "Nothing to copy" },
  in_maintenance: { status: 409, title: "In maintenance" },
  not_in_maintenance: { status: 409, title: "Not in maintenance" },
  overtaken: { status: 409, title: "Overtaken" },
  colors_differ: { status: 409, title: "Other colors" },
  revision_changed: { status: 412, title: "The revision has changed" },
  handing_over: { status: 503, title: "An upgrade is under way" },
  not_saved: { status: 507, title: "The change could not be saved" },
} as const satisfies Record<string, { status: number; title: string }>;

export type RefusalCode = keyof typeof REFUSALS;

/** A command that was refused; nothing has changed. `message` is one sentence for the person who sent it. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
  }
}
