import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Replacements } from "./replacements.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Workers that come when the test says so. */
function setUp() {
  const coming: (() => void)[] = [];
  const replacements = new Replacements(async () => {
    await new Promise<void>((resolve) => coming.push(resolve));
  });
  return { coming, replacements };
}

test("one worker is started after another", async () => {
  const { coming, replacements } = setUp();
  replacements.add(10_000);
  replacements.add(10_000);
  await vi.runAllTimersAsync();
  expect(coming).toHaveLength(1);
  coming[0]!();
  await vi.runAllTimersAsync();
  expect(coming).toHaveLength(2);
});

test("what waits when they are stopped never comes", async () => {
  const { coming, replacements } = setUp();
  replacements.add(10_000);
  await replacements.stop();
  await vi.runAllTimersAsync();
  expect(coming).toHaveLength(0);
});

test("a try that fails while they are stopped is not repeated", async () => {
  const { promise: failed, resolve: fail } = Promise.withResolvers<void>();
  let tries = 0;
  const replacements: Replacements = new Replacements(async () => {
    tries++;
    await failed;
    replacements.add();
  });
  replacements.add(10_000);
  await vi.runAllTimersAsync();
  const stopped = replacements.stop();
  fail();
  await stopped;
  await vi.runAllTimersAsync();
  expect(tries).toBe(1);
});
