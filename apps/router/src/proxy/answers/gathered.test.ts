import { expect, it } from "vitest";
import { memoryInUse } from "../../../test/support/memory.ts";
import { Gathered } from "./gathered.ts";

it("joins pieces in their order, whatever becomes of the pieces", () => {
  const gathered = new Gathered();
  expect([gathered.text(), gathered.bytes().length, gathered.held]).toEqual(["", 0, 0]);
  const piece = Buffer.from("-hello-");
  gathered.add(piece, 1, 1);
  gathered.add(piece, 1, 3);
  expect([gathered.text(), gathered.bytes().toString(), gathered.held]).toEqual(["he", "he", 2]);
  gathered.add(piece, 3, 6);
  gathered.add(piece, 3, 3);
  piece.fill("x");
  gathered.add(Buffer.from(" world"));
  expect([gathered.text(), gathered.bytes().toString()]).toEqual(["hello world", "hello world"]);
  gathered.trim();
  expect([gathered.text(), gathered.held]).toEqual(["hello world", 11]);
  gathered.drop();
  expect([gathered.text(), gathered.length, gathered.held]).toEqual(["", 0, 0]);
});

it.each([1, 2, 5000])("reads UTF-8 that came in %i-fold length and pieces of any size", (times) => {
  const text = "Café 料金 \ud83d\ude95 ÿ ".repeat(times);
  const bytes = Buffer.from(text);
  for (const size of [bytes.length, 4096, 1]) {
    const gathered = new Gathered();
    for (let at = 0; at < bytes.length; at += size)
      gathered.add(bytes, at, Math.min(bytes.length, at + size));
    expect(gathered.text()).toBe(text);
    expect(gathered.bytes().equals(bytes)).toBe(true);
    expect(gathered.held).toBeLessThanOrEqual(2 * bytes.length);
  }
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
