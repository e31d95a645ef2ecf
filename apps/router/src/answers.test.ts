import { expect, test, vi } from "vitest";
import { Answers } from "./answers.ts";

test("the first message that fits is the answer, and each waits for its own", async () => {
  const answers = new Answers<number>();
  const even = answers.first((number) => number % 2 === 0);
  const large = answers.first((number) => number > 5);
  for (const number of [1, 4, 2, 7, 8]) answers.take(number);
  expect(await Promise.all([even, large])).toEqual([4, 7]);
});

test("whoever waits when the other ends, or asks after it, gets undefined", async () => {
  const answers = new Answers<number>();
  const before = answers.first(() => true);
  answers.end();
  answers.take(1);
  expect(await before).toBeUndefined();
  expect(await answers.first(() => true)).toBeUndefined();
});

test("patience ends a wait, and what comes later is nobody's", async () => {
  vi.useFakeTimers();
  try {
    const answers = new Answers<number>();
    const late = answers.first(() => true, 1000);
    await vi.advanceTimersByTimeAsync(1000);
    answers.take(1);
    expect(await late).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});
