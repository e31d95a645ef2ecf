import { isOver, type RolloutState } from "../../core/rollout/state.ts";
import { duration, plural } from "../../core/verdict/numbers.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { RolloutEntry } from "./entry.ts";

export interface StepView {
  /** From 1; 0 before the first. */
  readonly number: number;
  readonly of: number;
  readonly seconds: number;
  readonly seconds_least: number;
  readonly requests: number;
  readonly requests_least: number;
}

/** What there is to know to say what a rollout waits for. */
export interface NextParts {
  readonly entry: RolloutEntry;
  readonly verdict: Verdict;
  /** First attempts that the candidate has ended in this rollout. */
  readonly requests: number;
  /** New requests are held, or turned away. */
  readonly closed: boolean;
}

/** How far the step in force is. */
export function stepView({ entry, requests }: NextParts): StepView {
  const { state } = entry;
  const { plan } = state;
  const baking = state.phase === "baking" || state.phase === "promoted";
  return {
    number: state.step + 1,
    of: plan.steps.length,
    seconds: (baking ? state.times.phase : state.times.step) / 1000,
    seconds_least: (baking ? plan.bake : plan.stepMin) / 1000,
    requests: Math.max(0, requests - state.requestsAtStep),
    requests_least: plan.stepRequests,
  };
}

/** What it waits for, in a sentence. */
export function nextOf(parts: NextParts): string {
  const { entry, verdict, closed } = parts;
  const { state } = entry;
  if (state.paused !== null) return `It is paused until somebody resumes it: ${state.paused.reason}.`;
  if (closed && !isOver(state) && state.phase !== "rolling_back")
    return "Its time stands still: the router is paused or in maintenance.";
  if (state.hook !== null) return `The hook ${state.hook.name} is under way.`;
  const { color } = state.candidate;
  switch (state.phase) {
    case "preparing":
      return preparing(entry);
    case "shifting":
      return shifting(parts);
    case "awaiting_approval":
      return state.approved || state.skip
        ? onward(parts)
        : `${state.plan.steps[state.step + 1]} % waits for somebody's approval: promote.`;
    case "promoting":
      return `${color} gets all requests.`;
    case "baking":
      return `${waits(parts) || "A last look"}, then the rollout is over.`;
    case "rolling_back":
      return `The requests that ${color} still has are waited for.`;
    default:
      return `It is over: ${endOf(state) ?? verdict.reason}.`;
  }
}

/** How it ended, whatever a hook said afterwards. */
function endOf({ log, phase }: RolloutState): string | undefined {
  const decisive = phase === "aborted" ? "abort" : phase === "rolled_back" ? "rollback" : phase;
  const end = log.findLast(({ event }) => event === decisive);
  if (end === undefined || phase === "promoted") return end?.reason;
  return phase === "aborted" ? `aborted by ${end.by}, ${end.reason}` : `rolled back, ${end.reason}`;
}

function preparing({ results, state }: RolloutEntry): string {
  const open = results.find(({ ok }) => ok === undefined);
  if (open !== undefined) return `The check ${open.name} is awaited: ${open.detail}.`;
  return `${state.candidate.color} and ${state.stable.color} have to be available, with their versions known.`;
}

function shifting(parts: NextParts): string {
  const { entry, verdict } = parts;
  const { state } = entry;
  if (!state.settled) return `Every worker has to serve by ${state.share} % first.`;
  const open = state.skip ? "" : waits(parts);
  if (open === "") return onward(parts);
  const to = state.plan.steps[state.step + 1]!;
  const guarded =
    to === 100 && verdict.readings.some(({ role, reached }) => role === "promotion" && !reached);
  return `${open}, ${guarded ? "and promotion's guards have to pass, " : ""}then ${to} %.`;
}

/** What is left where no time, request or approval is waited for. */
function onward({ entry: { state }, verdict }: NextParts): string {
  const to = state.skip ? 100 : state.plan.steps[state.step + 1]!;
  const passed = verdict.decision === "promote" || state.skip === "guards";
  return to === 100 && !passed
    ? `Promotion's guards have to pass before 100 %: ${verdict.reason}.`
    : `${state.candidate.color} has to be available, then ${to} %.`;
}

/** What a step lacks: "40 seconds and 12 requests more". */
function waits(parts: NextParts): string {
  const step = stepView(parts);
  const [seconds, requests] = [step.seconds_least - step.seconds, step.requests_least - step.requests];
  const lacking = [
    ...(seconds > 0 ? [duration(seconds / 60)] : []),
    ...(requests > 0 ? [`${plural(requests, "request")} of ${parts.entry.state.candidate.color}`] : []),
  ];
  return lacking.length > 0 ? `${lacking.join(" and ")} more` : "";
}
