import { expect, it } from "vitest";
import { MAX_ROWS, type Served } from "../core/feedback/served.ts";
import { ServedBuffer } from "./served-buffer.ts";

const served = (n: number, rows = 1): Served => ({
  id: `id-${n}`,
  at: 0,
  color: "blue",
  digest: "sha256:a",
  predictions: Array.from({ length: rows }, () => 1),
});

function buffer(share: number) {
  let hurried = 0;
  const waiting = new ServedBuffer(() => hurried++);
  waiting.share = share;
  return { waiting, hurried: () => hurried };
}

it("remembers nothing unless it is told to", () => {
  const { waiting } = buffer(0);
  waiting.push(served(1));
  expect([waiting.take(), waiting.wants("id-1"), waiting.dropped]).toEqual([[], false, 0]);
});

it("gives each record once, and asks for a report when many wait", () => {
  const { waiting, hurried } = buffer(1);
  for (let n = 0; n < 1023; n++) waiting.push(served(n));
  expect(hurried()).toBe(0);
  for (let n = 0; n < 3; n++) waiting.push(served(n));
  expect([hurried(), waiting.take().length, waiting.take().length]).toEqual([1, 1026, 0]);
});

it("holds no more than it may when nobody takes, and counts what it drops", () => {
  const { waiting, hurried } = buffer(1);
  for (let n = 0; n < 100_000; n++) waiting.push(served(n));
  expect([waiting.dropped, hurried(), waiting.take().length]).toEqual([100_000 - 16_384, 1, 16_384]);
  for (let n = 0; n < 1000; n++) waiting.push(served(n, MAX_ROWS));
  expect(waiting.take().length).toBe(262);
});

it("drops a request of more rows than are remembered", () => {
  const { waiting } = buffer(1);
  waiting.push(served(1, MAX_ROWS + 1));
  expect([waiting.dropped, waiting.take()]).toEqual([1, []]);
});

it("remembers about the share, and decides alike for a request and its copy in another process", () => {
  const [one, other] = [buffer(0.25).waiting, buffer(0.25).waiting];
  const ids = Array.from(
    { length: 4000 },
    (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
  );
  const wanted = ids.filter((id) => one.wants(id));
  expect(wanted).toEqual(ids.filter((id) => other.wants(id)));
  expect(wanted.length).toBeGreaterThan(900);
  expect(wanted.length).toBeLessThan(1100);
});
