import { expect, it } from "vitest";
import { ChunkDecoder, FAULT } from "./chunked.ts";

/** Reads a body of equal chunks. @returns its content's length, or FAULT */
function read(chunk: string, count: number): number {
  let content = 0;
  const sink = {
    onData(_bytes: Buffer, start: number, end: number) {
      content += end - start;
    },
  };
  const body = Buffer.from(`${chunk.repeat(count)}0\r\n\r\n`);
  return new ChunkDecoder(sink, 100).read(body, 0, body.length) === FAULT ? FAULT : content;
}

const long = `a=${"x".repeat(250)}`;

it("takes extensions of a signed upload, however long it is", () => {
  expect(read(`400;${long}\r\n${"y".repeat(1024)}\r\n`, 2000)).toBe(2_048_000);
});

it("takes short extensions of any number of tiny chunks", () => {
  expect(read("1;a=b\r\ny\r\n", 100_000)).toBe(100_000);
});

// Each chunk was within bounds, and the body brought 250 times its content.
it("refuses a body that is mostly extensions", () => {
  expect(read(`1;${long}\r\ny\r\n`, 60)).toBe(60);
  expect(read(`1;${long}\r\ny\r\n`, 80)).toBe(FAULT);
});
