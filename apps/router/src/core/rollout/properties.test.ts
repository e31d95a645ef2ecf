import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RolloutPlan } from "./plan.ts";
import { type Facts, isOver, type RolloutState } from "./state.ts";
import { HOLD, PAUSE, PROMOTE, ROLL_BACK, Scene } from "./test-kit.ts";

/** What the tests know apart from the state machine. */
interface Model {
  aborted: boolean;
  forced: boolean;
  /** The newest verdict that a tick has seen. */
  verdict: Facts["verdict"];
  last: RolloutState;
}

/** Plain, because `expect` a hundred thousand times is slow. */
function must(holds: boolean, what: string, scene: Scene): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify({ ...scene.state, plan: undefined })}`);
}

/** Every check that must hold after whatever happened. */
function invariants(model: Model, scene: Scene): void {
  const { state, effects, facts } = scene;
  const { plan, phase, share, log, paused } = state;
  const { last } = model;
  const asked = effects.filter((effect) => effect.kind === "weights");
  must([0, ...plan.steps].includes(share), "a weight of the plan", scene);
  must(
    asked.every(({ candidate, stable }) => candidate === share && stable === 100 - share),
    "weights",
    scene,
  );
  const backAtStable = share === 0 && (phase === "aborted" || phase === "rolled_back");
  must(!model.aborted || backAtStable, "aborted", scene);
  if (share === 100 && last.share !== 100) {
    must(model.forced || model.verdict.decision === "promote", "promoted by evidence or by force", scene);
    must(last.phase === "promoting", "promoting before 100 %", scene);
    const asked = log.some(({ event }) => event === "approve" || event === "promote");
    must(!plan.gates.includes(100) || asked, "approved", scene);
  }
  if (share > 0 && share !== last.share)
    must(!paused && facts.candidate.available, "raised in good health", scene);
  if (phase === "promoted" && last.phase !== "promoted") must(last.phase === "baking", "baked", scene);
  if (isOver(last) && phase !== last.phase)
    must(last.phase === "promoted" && phase === "aborted", "over", scene);
  must(log.length <= 500, "a bounded log", scene);
  model.last = state;
}

class Do implements fc.Command<Model, Scene> {
  readonly name: string;
  readonly run_: (scene: Scene, model: Model) => void;

  constructor(name: string, run: (scene: Scene, model: Model) => void) {
    this.name = name;
    this.run_ = run;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, scene: Scene): void {
    const twin = Object.assign(new Scene(), { ...scene }).restart();
    this.run_(scene, model);
    this.run_(twin, { ...model });
    // what a restarted router does is the same, to the letter
    expect({ state: twin.state, effects: twin.effects }).toEqual({
      state: scene.state,
      effects: scene.effects,
    });
    invariants(model, scene);
  }

  toString(): string {
    return this.name;
  }
}

const colorFacts = (digest: string, other: string) =>
  fc.record({
    available: fc.oneof(
      { weight: 5, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
    digest: fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(digest, digest, digest, undefined) },
      { weight: 1, arbitrary: fc.constant(other) },
    ),
  });

const facts: fc.Arbitrary<Partial<Facts>> = fc.record(
  {
    drained: fc.boolean(),
    closed: fc.constantFrom(false, false, false, true),
    candidate: colorFacts("new", "newer"),
    stable: colorFacts("old", "older"),
    verdict: fc.constantFrom(HOLD, HOLD, HOLD, PROMOTE, PROMOTE, PROMOTE, PAUSE, ROLL_BACK),
    gates: fc.constantFrom("passed", "passed", "waiting"),
    hookRunning: fc.boolean(),
    share: fc.constantFrom(0, 5, 50, 100, undefined),
  },
  { requiredKeys: [] },
);

const ticks = fc.tuple(fc.constantFrom(1, 30, 60, 4000, -100), fc.constantFrom(0, 50, 100, 1000), facts).map(
  ([seconds, requests, given]) =>
    new Do(`tick ${seconds} ${requests} ${JSON.stringify(given)}`, (scene, model) => {
      if (given.verdict) model.verdict = given.verdict;
      scene.tick(seconds, requests, given);
    }),
);
const steady = fc.constantFrom(PROMOTE, HOLD).map(
  (verdict) =>
    new Do(`steady ${verdict.decision}`, (scene, model) => {
      model.verdict = verdict;
      scene.tick(60, 200, { ...GOOD_WORLD, verdict });
    }),
);
const GOOD_WORLD: Partial<Facts> = {
  drained: true,
  closed: false,
  candidate: { available: true, digest: "new" },
  stable: { available: true, digest: "old" },
  gates: "passed",
  hookRunning: false,
};
const said = fc
  .constantFrom("pause", "resume", "resume", "approve", "promote")
  .map((kind) => new Do(kind, (scene) => void scene.do(kind as "pause")));
const force = fc.constant(
  new Do("force", (scene, model) => {
    if (scene.say({ kind: "promote", by: "ann", force: true }) === undefined) model.forced = true;
  }),
);
const abort = fc.constant(
  new Do("abort", (scene, model) => {
    expect(scene.do("abort")).toBeUndefined();
    model.aborted = true;
  }),
);
const hooked = fc.boolean().map((ok) => new Do(`hook ${ok}`, (scene) => void scene.hook(ok)));
const obeys = fc.boolean().map(
  (yes) =>
    new Do(`obeys ${yes}`, (scene) => {
      scene.obeys = yes;
    }),
);

const plans: fc.Arbitrary<Partial<RolloutPlan>> = fc.record({
  steps: fc.constantFrom([5, 25, 50, 100], [100], [0.01, 99.99]),
  onBreach: fc.constantFrom("rollback", "pause"),
  onTimeout: fc.constantFrom("rollback", "pause"),
  maxDuration: fc.constantFrom(1_000_000, 1e9),
  hooks: fc.constantFrom(
    {},
    { before_rollout: "a", before_promotion: "b", after_promotion: "c", on_rollback: "d" },
  ),
  gates: fc.constantFrom([], [100]),
});

const all = (...extra: fc.Arbitrary<Do>[]) =>
  fc.commands([ticks, steady, steady, steady, steady, steady, said, hooked, hooked, obeys, ...extra], {
    maxCommands: 60,
    size: "max",
  });

function play(plan: Partial<RolloutPlan>, actions: Iterable<fc.Command<Model, Scene>>): Scene {
  const scene = new Scene(plan);
  fc.modelRun(
    () => ({ model: { aborted: false, forced: false, verdict: HOLD, last: scene.state }, real: scene }),
    actions,
  );
  return scene;
}

// thousands of restarts through JSON: seconds, and more where the machine is busy
describe("a rollout, whatever happens to it", { timeout: 120_000 }, () => {
  it("keeps to its weights, its evidence and an abort, and goes on the same after a restart", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(plans, all(force, abort), (plan, actions) => {
        for (const { phase } of play(plan, actions).state.log) seen.set(phase, (seen.get(phase) ?? 0) + 1);
      }),
      { numRuns: 200, seed: 6 },
    );
    // the play must reach what it is about
    for (const phase of ["baking", "promoted", "rolled_back", "aborted", "awaiting_approval", "promoting"]) {
      expect([phase, seen.get(phase) ?? 0]).toEqual([phase, expect.toSatisfy((n: number) => n >= 5)]);
    }
  });

  it("can be aborted, twice, and has all requests at the stable color then", () => {
    fc.assert(
      fc.property(plans, all(), (plan, actions) => {
        const scene = play(plan, actions);
        const before = scene.state.phase;
        scene.do("abort");
        const once = scene.state;
        scene.obeys = true;
        scene.do("abort");
        expect(scene.effects).toEqual([]);
        expect(scene.state.phase).toBe(before === "rolled_back" ? before : "aborted");
        expect(scene.state.log).toEqual(once.log);
        scene.tick(1, 0, { verdict: PROMOTE }).tick();
        expect(scene.state.share).toBe(0);
        if (before !== "rolled_back") expect(scene.facts.share).toBe(0); // later, weights are the administrators' again
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it("has a way out of every phase: in a good world it ends, once people answer", () => {
    fc.assert(
      fc.property(plans, all(force), (plan, actions) => {
        const scene = play({ ...plan, maxDuration: 1e12 }, actions);
        scene.obeys = true;
        for (let i = 0; i < 60 && !isOver(scene.state); i++) {
          scene.do("resume");
          scene.do("approve");
          scene.tick(60, 200, {
            ...GOOD_WORLD,
            verdict: PROMOTE,
            stable: { available: true, digest: scene.state.stable.digest || "old" },
          });
          scene.hook(true);
        }
        expect(isOver(scene.state)).toBe(true);
      }),
      { numRuns: 200, seed: 8 },
    );
  });

  it("never moves without data: requests that do not come end no step", () => {
    fc.assert(
      fc.property(plans, fc.array(fc.constantFrom(1, 30, 60, 4000), { maxLength: 60 }), (plan, times) => {
        const scene = new Scene(plan);
        const steps = new Set<number>();
        for (const seconds of times) {
          scene.tick(seconds, 0).hook(true);
          steps.add(scene.state.step);
        }
        expect([...steps].every((step) => step <= 0)).toBe(true);
        expect(["promoting", "baking", "promoted"]).not.toContain(scene.state.phase);
      }),
    );
  });
});
