import { expect, it } from "vitest";
import { middle, middleText, times } from "./medians.ts";

const samples = new Map([
  ["nginx", [20, 30, 1000]],
  ["wire", [45]],
  ["none", []],
]);
const itself = (value: number) => value;

it("compares medians, so that one disturbed round does not count", () => {
  expect(middle(samples, "nginx", itself)).toBe(30);
  expect(times(samples, "wire", "nginx", itself)).toBe("1.50");
});

it("says nothing of what was not measured", () => {
  expect(middle(samples, "Caddy", itself)).toBeUndefined();
  expect(middle(samples, "none", itself)).toBeUndefined();
  expect(middleText(samples, "none", itself, 1)).toBe("–");
  expect(middleText(samples, "wire", itself, 1)).toBe("45.0");
  expect(times(samples, "wire", "Caddy", itself)).toBe("–");
});
