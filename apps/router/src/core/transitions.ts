import type { Gate } from "./gate.ts";
import { type GateCommand, moveGate } from "./gate-commands.ts";
import { Refusal } from "./refusal.ts";
import { targetPlace } from "./target-address.ts";
import { allTo, checkWeights, heaviest, mustExist, sameWeights, soleColor, type Weights } from "./weights.ts";

export type TargetLists = Readonly<Record<string, readonly string[]>>;

/** What administrators decide: the part of the routing table that is saved. Immutable; a command makes a new one. */
export interface RoutingState {
  /** Raised by one with every accepted command. */
  readonly revision: number;
  /** As they were given. Names and order are those of the configuration. */
  readonly weights: Weights;
  /** Normalized URLs by color. */
  readonly targets: TargetLists;
  /** The weights before the last change of weights: where undo leads. */
  readonly previous: Weights | undefined;
  /**
   * The color that had all weight before the present weights, or, while none has had it, the file's heaviest once it is
   * emptied; it is the standby while its weight is 0.
   */
  readonly last: string | undefined;
  /** Where rollback leads. The same as `last`, but after a rollback the color that was rolled back to. */
  readonly back: string | undefined;
  /** The heaviest color of the file: where rollback leads while no color has had all weight. */
  readonly heaviest: string;
  /** Set while new requests are held or turned away. */
  readonly gate?: Gate | undefined;
}

export interface FileColors {
  readonly weights: Weights;
  readonly targets: TargetLists;
}

export type Command =
  /** `back`: the color that a rollback leads to from now on. Default: as for any change of weights. */
  | { readonly kind: "weights"; readonly weights: Readonly<Record<string, unknown>>; readonly back?: string }
  | { readonly kind: "flip"; readonly to: string; readonly force?: boolean }
  | { readonly kind: "rollback" }
  | { readonly kind: "undo" }
  /** URLs are normalized and allowed; only duplicates and emptiness are judged here. */
  | { readonly kind: "targets"; readonly color: string; readonly targets: readonly string[] }
  /** The file's own colors changed, so they win. */
  | { readonly kind: "reload"; readonly file: FileColors }
  | GateCommand;

export type CommandKind = Command["kind"];
export const WEIGHT_KINDS = [
  "weights",
  "flip",
  "rollback",
  "undo",
  "reload",
] as const satisfies CommandKind[];

/** Other changes are no rollout's concern. */
export function leavesWeights(kind: string): boolean {
  return !WEIGHT_KINDS.some((each) => each === kind);
}

/** What a transition may know beside the state. */
export interface Facts {
  /** True when a color has a target that takes traffic now. */
  isAvailable(color: string): boolean;
}

/** The state of a router that starts by its file alone. */
export function initialState(file: FileColors, revision = 1): RoutingState {
  const { weights, targets } = file;
  return {
    revision,
    weights,
    targets,
    previous: undefined,
    last: undefined,
    back: undefined,
    heaviest: heaviest(weights),
  };
}

/**
 * What the state becomes by a command. An accepted command raises the revision even when it changes nothing, because
 * somebody decided it and the history shall say so.
 * @throws Refusal
 */
export function transition(state: RoutingState, command: Command, facts: Facts): RoutingState {
  const next = decide(state, command, facts);
  return { ...next, revision: state.revision + 1 };
}

function decide(state: RoutingState, command: Command, facts: Facts): RoutingState {
  const colors = Object.keys(state.weights);
  switch (command.kind) {
    case "weights":
      return withBack(withWeights(state, checkWeights(command.weights, colors)), command.back);
    case "flip":
      return flip(state, command.to, command.force === true, facts);
    case "rollback":
      return rollback(state);
    case "undo":
      return undo(state);
    case "targets":
      return withTargets(state, command.color, command.targets);
    case "reload":
      return reload(state, command.file);
    case "pause":
    case "resume":
    case "maintenance":
      return moveGate(state, command, facts);
  }
}

/**
 * A color that had all weight and loses it becomes the standby, and the place to roll back to. While none has had it all,
 * the file's heaviest stands by when it is emptied, as rollback would go there: a first flip has a net, too.
 */
function withWeights(state: RoutingState, weights: Weights): RoutingState {
  if (sameWeights(state.weights, weights)) return state;
  const sole = soleColor(state.weights);
  const left = sole !== undefined && soleColor(weights) !== sole ? sole : undefined;
  const emptied = state.weights[state.heaviest]! > 0 && weights[state.heaviest] === 0;
  return {
    ...state,
    weights,
    previous: state.weights,
    last: left ?? state.last ?? (emptied ? state.heaviest : undefined),
    back: left ?? state.back,
  };
}

function withBack(state: RoutingState, back: string | undefined): RoutingState {
  return back === undefined ? state : { ...state, back };
}

function flip(state: RoutingState, to: string, force: boolean, facts: Facts): RoutingState {
  const colors = Object.keys(state.weights);
  mustExist(to, colors);
  if (!force && !facts.isAvailable(to)) {
    throw new Refusal("no_healthy_target", `${to} has no healthy target; "force": true flips all the same.`);
  }
  return withWeights(state, allTo(to, colors));
}

/** Where a rollback would lead now. */
export function rollbackTarget(state: RoutingState): string {
  return state.back ?? state.heaviest;
}

/**
 * All weight back to the color that last had it all. A second rollback stays there: whoever presses the button twice
 * in an emergency must not be sent back to what is broken.
 */
function rollback(state: RoutingState): RoutingState {
  const back = rollbackTarget(state);
  const weights = allTo(back, Object.keys(state.weights));
  if (soleColor(state.weights) === back) return { ...state, back };
  return { ...withWeights(state, weights), back };
}

/** The weights before the last change; done twice it returns. Undoing a flip is a way back too, so rollback stays there. */
function undo(state: RoutingState): RoutingState {
  if (state.previous === undefined)
    throw new Refusal("nothing_to_undo", "The weights have not been changed yet.");
  const next = withWeights(state, state.previous);
  const sole = soleColor(next.weights);
  return sole !== undefined && sole === state.back ? { ...next, back: sole } : next;
}

function withTargets(state: RoutingState, color: string, targets: readonly string[]): RoutingState {
  mustExist(color, Object.keys(state.weights));
  const places = new Set(targets.map(targetPlace));
  if (places.size < targets.length) {
    throw new Refusal("invalid_targets", `A target of ${color} is named twice.`);
  }
  for (const [other, theirs] of Object.entries(state.targets)) {
    const shared = other === color ? undefined : theirs.find((url) => places.has(targetPlace(url)));
    if (shared === undefined) continue;
    throw new Refusal(
      "invalid_targets",
      `The target ${shared} is ${other}'s; expected one of ${color} alone.`,
    );
  }
  if (targets.length === 0 && state.weights[color]! > 0) {
    throw new Refusal(
      "color_has_weight",
      `${color} has weight: move it to another color before its last target goes.`,
    );
  }
  const kept = state.targets[color]!.some((url) => targets.includes(url));
  // with its last old target gone it is another version, which has never had all weight
  const last = state.last === color && !kept ? undefined : state.last;
  return { ...state, targets: { ...state.targets, [color]: targets }, last };
}

function reload(state: RoutingState, file: FileColors): RoutingState {
  const [mine, its] = [Object.keys(state.weights), Object.keys(file.weights)];
  if (mine.length !== its.length || mine.some((name, i) => its[i] !== name)) {
    throw new Refusal(
      "colors_differ",
      `The file's colors are ${its.join(", ")}, the router runs with ${mine.join(", ")}: restart it for other colors.`,
    );
  }
  const moved = withWeights(state, file.weights);
  return { ...moved, targets: file.targets, heaviest: heaviest(file.weights) };
}

/** A color of weight 0 that may still catch failures: the one that last had all weight, while it has its targets. */
export function standbyOf(state: RoutingState): string | undefined {
  const { last } = state;
  if (last === undefined || state.weights[last] !== 0) return undefined;
  return state.targets[last]!.length > 0 ? last : undefined;
}
