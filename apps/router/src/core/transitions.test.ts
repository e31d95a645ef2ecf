import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refusal } from "./refusal.ts";
import {
  type Command,
  type FileColors,
  initialState,
  type RoutingState,
  rollbackTarget,
  standbyOf,
  transition,
} from "./transitions.ts";
import { shares } from "./weights.ts";

const TARGETS = { blue: ["http://b:1"], green: ["http://g:1"], red: ["http://r:1"] };
const file = (blue: number, green: number, red?: number): FileColors => {
  const all = red === undefined ? { blue, green } : { blue, green, red };
  return {
    weights: all,
    targets: Object.fromEntries(Object.keys(all).map((name) => [name, TARGETS[name as "blue"]])),
  };
};

function after(state: RoutingState, ...commands: Command[]): RoutingState {
  return commands.reduce((now, command) => transition(now, command, { isAvailable: () => true }), state);
}
const weights = (blue: number, green: number): Command => ({ kind: "weights", weights: { blue, green } });
const flip = (to: string): Command => ({ kind: "flip", to });
const [rollback, undo]: Command[] = [{ kind: "rollback" }, { kind: "undo" }];
const refusalOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "accepted";
};

describe("weights", () => {
  it("are kept as given, in the order of the configuration, and shared by proportion", () => {
    const state = after(initialState(file(100, 0)), { kind: "weights", weights: { green: 1, blue: 9 } });
    expect(Object.entries(state.weights)).toEqual([
      ["blue", 9],
      ["green", 1],
    ]);
    expect(shares(state.weights)).toEqual({ blue: 0.9, green: 0.1 });
  });

  it("may be so large that their sum is not a number any more", () => {
    expect(shares({ blue: 1e308, green: 1e308 })).toEqual({ blue: 0.5, green: 0.5 });
  });

  it.each([
    ["an unknown color", { blue: 1, green: 1, red: 1 }, "unknown_color"],
    ["a name that every object has", { blue: 1, green: 1, constructor: 1 }, "unknown_color"],
    ["a missing color", { green: 10 }, "invalid_weights"],
    ["a negative weight", { blue: -1, green: 1 }, "invalid_weights"],
    ["infinity", { blue: Number.POSITIVE_INFINITY, green: 1 }, "invalid_weights"],
    ["no number", { blue: Number.NaN, green: 1 }, "invalid_weights"],
    ["text", { blue: "90", green: 10 }, "invalid_weights"],
    ["null", { blue: null, green: 10 }, "invalid_weights"],
    ["zeros alone", { blue: 0, green: 0 }, "invalid_weights"],
  ])("are refused with %s", (_, given, code) => {
    expect(refusalOf(() => after(initialState(file(90, 10)), { kind: "weights", weights: given }))).toBe(
      code,
    );
  });

  it("always add up to shares of 1", () => {
    const weight = fc.double({ min: 0, max: 1e308, noNaN: true });
    fc.assert(
      fc.property(weight, weight, (blue, green) => {
        fc.pre(blue > 0 || green > 0);
        const sum = Object.values(shares({ blue, green })).reduce((a, b) => a + b);
        expect(sum).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe("every accepted command", () => {
  it("raises the revision by one, even when it changes nothing", () => {
    const state = initialState(file(90, 10));
    expect(after(state, weights(90, 10)).revision).toBe(state.revision + 1);
    expect(after(state, weights(90, 10)).previous).toBeUndefined();
  });
});

describe("flip", () => {
  it("gives one color all weight", () => {
    expect(after(initialState(file(90, 10)), flip("green")).weights).toEqual({ blue: 0, green: 100 });
  });

  it("is refused without a healthy target, unless it is forced", () => {
    const state = initialState(file(90, 10));
    const none = { isAvailable: () => false };
    expect(refusalOf(() => transition(state, flip("green"), none))).toBe("no_healthy_target");
    const forced = transition(state, { kind: "flip", to: "green", force: true }, none);
    expect(forced.weights).toEqual({ blue: 0, green: 100 });
  });

  it("is refused to a color that is not there, forced or not", () => {
    expect(refusalOf(() => after(initialState(file(90, 10)), { kind: "flip", to: "red", force: true }))).toBe(
      "unknown_color",
    );
  });
});

describe("rollback", () => {
  it("leads to the heaviest color of the file while none has had all weight", () => {
    expect(rollbackTarget(initialState(file(10, 90)))).toBe("green");
    expect(after(initialState(file(10, 90)), rollback!).weights).toEqual({ blue: 0, green: 100 });
  });

  it("returns from a flip to the color that had all weight before", () => {
    const state = after(initialState(file(100, 0)), flip("green"), rollback!);
    expect(state.weights).toEqual({ blue: 100, green: 0 });
  });

  it("stays when it is called again", () => {
    const state = after(initialState(file(100, 0)), flip("green"), rollback!, rollback!, rollback!);
    expect(state.weights).toEqual({ blue: 100, green: 0 });
  });

  it("ends a canary by giving all weight to the color that had it", () => {
    const state = after(initialState(file(0, 100)), weights(5, 95), weights(50, 50), rollback!);
    expect(state.weights).toEqual({ blue: 0, green: 100 });
  });

  it("returns to the old color after a canary was raised to the end", () => {
    const state = after(initialState(file(100, 0)), weights(50, 50), weights(0, 100), rollback!);
    expect(state.weights).toEqual({ blue: 100, green: 0 });
  });

  it("does not send a canary that was ended by hand all traffic", () => {
    // green was flipped away from last week and now holds a new, bad version
    const lastWeek = after(initialState(file(0, 100)), flip("blue"));
    const state = after(lastWeek, weights(90, 10), weights(100, 0), rollback!);
    expect(state.weights).toEqual({ blue: 100, green: 0 });
  });

  it("stays after an undo that was a way back already", () => {
    const state = after(initialState(file(100, 0)), flip("green"), undo!, rollback!);
    expect(state.weights).toEqual({ blue: 100, green: 0 });
    const redone = after(initialState(file(100, 0)), flip("green"), undo!, undo!, rollback!);
    expect(redone.weights).toEqual({ blue: 100, green: 0 });
  });

  it("needs no healthy target", () => {
    const flipped = after(initialState(file(100, 0)), flip("green"));
    expect(transition(flipped, rollback!, { isAvailable: () => false }).weights).toEqual({
      blue: 100,
      green: 0,
    });
  });
});

describe("undo", () => {
  it("restores the weights before the last change, and done twice returns", () => {
    const state = after(initialState(file(90, 10)), weights(70, 30), undo!);
    expect(state.weights).toEqual({ blue: 90, green: 10 });
    expect(after(state, undo!).weights).toEqual({ blue: 70, green: 30 });
  });

  it("passes over commands that changed no weight", () => {
    const targets: Command = { kind: "targets", color: "green", targets: ["http://g:2"] };
    const state = after(initialState(file(90, 10)), weights(70, 30), weights(70, 30), targets, undo!);
    expect(state.weights).toEqual({ blue: 90, green: 10 });
    expect(state.targets.green).toEqual(["http://g:2"]);
  });

  it("is refused when nothing was changed", () => {
    expect(refusalOf(() => after(initialState(file(90, 10)), undo!))).toBe("nothing_to_undo");
  });
});

describe("the standby", () => {
  it("is the color that last had all weight, while its weight is 0", () => {
    expect(standbyOf(initialState(file(100, 0)))).toBeUndefined();
    const flipped = after(initialState(file(100, 0)), flip("green"));
    expect(standbyOf(flipped)).toBe("blue");
    expect(standbyOf(after(flipped, weights(10, 90)))).toBeUndefined();
    expect(standbyOf(after(flipped, rollback!))).toBe("green");
  });

  it("is never a color of weight 0 that did not have all weight", () => {
    const three = initialState(file(100, 0, 0));
    const split: Command = { kind: "weights", weights: { blue: 0, green: 50, red: 50 } };
    expect(standbyOf(after(three, split))).toBe("blue");
    expect(
      standbyOf(after(three, { kind: "weights", weights: { blue: 50, green: 50, red: 0 } })),
    ).toBeUndefined();
  });

  it("is the file's heaviest once it is emptied, while no color has had all weight", () => {
    const begun = initialState(file(90, 10, 0));
    expect(standbyOf(after(begun, flip("green")))).toBe("blue");
    expect(standbyOf(after(begun, flip("blue")))).toBeUndefined();
    const replaced = { kind: "targets", color: "blue", targets: ["http://b:9"] } as const;
    expect(standbyOf(after(begun, flip("green"), replaced))).toBeUndefined();
  });

  it("ends when its targets are removed or all replaced, not when one is added", () => {
    const flipped = after(initialState(file(100, 0)), flip("green"));
    const set = (...targets: string[]) => after(flipped, { kind: "targets", color: "blue", targets });
    expect(standbyOf(set("http://b:1", "http://b:2"))).toBe("blue");
    expect(standbyOf(set("http://b:9"))).toBeUndefined();
    expect(standbyOf(set())).toBeUndefined();
  });
});

describe("targets", () => {
  it("are replaced for one color alone", () => {
    const state = after(initialState(file(90, 10)), {
      kind: "targets",
      color: "green",
      targets: ["http://g:2"],
    });
    expect(state.targets).toEqual({ blue: ["http://b:1"], green: ["http://g:2"] });
  });

  it.each([
    ["of a color that is not there", { color: "red", targets: [] }, "unknown_color"],
    ["that another color has", { color: "green", targets: ["http://b:1"] }, "invalid_targets"],
    ["that are named twice", { color: "green", targets: ["http://g:2", "http://g:2"] }, "invalid_targets"],
    [
      "that another color has by another protocol",
      { color: "green", targets: ["h2c://b:1"] },
      "invalid_targets",
    ],
    [
      "that are one by two protocols",
      { color: "green", targets: ["http://g:2", "h2c://g:2"] },
      "invalid_targets",
    ],
    ["that are none, while the color has weight", { color: "green", targets: [] }, "color_has_weight"],
  ])("%s are refused", (_, { color, targets }, code) => {
    expect(refusalOf(() => after(initialState(file(90, 10)), { kind: "targets", color, targets }))).toBe(
      code,
    );
  });
});

describe("a file whose colors changed", () => {
  it("wins over weights and targets", () => {
    const flipped = after(initialState(file(100, 0)), flip("green"));
    const state = after(flipped, { kind: "reload", file: file(20, 80) });
    expect(state.weights).toEqual({ blue: 20, green: 80 });
    expect(state.heaviest).toBe("green");
    expect(rollbackTarget(state)).toBe("green");
  });

  it("is refused with other names, or the same in another order", () => {
    const state = initialState(file(90, 10));
    expect(refusalOf(() => after(state, { kind: "reload", file: file(1, 1, 1) }))).toBe("colors_differ");
    const turned = { weights: { green: 1, blue: 1 }, targets: { green: [], blue: [] } };
    expect(refusalOf(() => after(state, { kind: "reload", file: turned }))).toBe("colors_differ");
  });
});

describe("any sequence of commands", () => {
  const command = fc.oneof(
    fc
      .tuple(fc.nat(100), fc.nat(100))
      .filter(([b, g]) => b + g > 0)
      .map(([b, g]) => weights(b, g)),
    fc.constantFrom(flip("blue"), flip("green"), rollback!, undo!),
  );

  it("leaves weight somewhere, a standby of weight 0, and a rollback that stays", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let state = initialState(file(100, 0));
        for (const each of commands) {
          if (each.kind !== "undo" || state.previous !== undefined) state = after(state, each);
          const standby = standbyOf(state);
          if (standby !== undefined) expect(state.weights[standby]).toBe(0);
          expect(Object.values(state.weights).some((weight) => weight > 0)).toBe(true);
          const once = after(state, rollback!);
          expect(after(once, rollback!).weights).toEqual(once.weights);
        }
      }),
    );
  });
});
