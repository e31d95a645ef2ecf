import { describe, expect, test } from "vitest";
import { state } from "../../../test/support/deploy-state.ts";
import { chooseColors } from "./look.ts";

describe("the color to deploy to", () => {
  const choose = (weights: Record<string, number>, wanted?: string, standby?: string) => {
    const { color, from } = chooseColors(state(weights, standby), wanted);
    return `${from.name} to ${color.name}`;
  };
  test("is the idle one, and of several rather one that is no standby", () => {
    expect(choose({ blue: 0, green: 7 })).toBe("green to blue");
    expect(choose({ blue: 0, green: 7, red: 0 }, undefined, "blue")).toBe("green to red");
    expect(choose({ blue: 0, green: 7, red: 0 }, "blue", "blue")).toBe("green to blue");
  });
  test("may be named where it serves beside one other", () => {
    expect(choose({ blue: 90, green: 10 }, "green")).toBe("blue to green");
    expect(() => choose({ blue: 90, green: 10 })).toThrow(/several colors serve .* --color green\./);
    expect(() => choose({ blue: 50, green: 40, red: 10 }, "red")).toThrow(/several colors serve/);
  });
  test("is refused where there is none", () => {
    expect(() => choose({ blue: 1 })).toThrow(/blue is the router's only color/);
    expect(() => choose({ blue: 1, green: 0 }, "blue")).toThrow(/blue has all weight/);
    expect(() => choose({ blue: 1, green: 0 }, "mauve")).toThrow(/no color "mauve"; it has blue, green/);
  });
});
