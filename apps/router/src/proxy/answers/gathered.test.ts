import { expect, it } from "vitest";
import { memoryInUse } from "../../../test/support/memory.ts";
import { Gathered } from "./gathered.ts";

it("joins pieces in their order, whatever becomes of the pieces", () => {
  const gathered = new Gathered();
  expect([gathered.take().length, gathered.held]).toEqual([0, 0]);
  const piece = Buffer.from("-hello-");
  gathered.add(piece, 1, 3);
  gathered.add(piece, 3, 6);
  gathered.add(piece, 3, 3);
  piece.fill("x");
  gathered.add(Buffer.from(" world"));
  expect(gathered.take().toString()).toBe("hello world");
  expect([gathered.length, gathered.held]).toEqual([0, 0]);
});

it("holds at most twice what it was given, however small the pieces are", () => {
  const before = memoryInUse();
  const all = Array.from({ length: 16 }, () => {
    const gathered = new Gathered();
    for (let i = 0; i < 65_536; i++) gathered.add(Buffer.from("x"));
    return gathered;
  });
  const after = memoryInUse();
  expect(all.reduce((sum, { length }) => sum + length, 0)).toBe(1 << 20);
  expect(all.reduce((sum, { held }) => sum + held, 0)).toBeLessThanOrEqual(2 << 20);
  // a buffer of one byte each would be more than 100 MiB
  expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(16 << 20);
});
