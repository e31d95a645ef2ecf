import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameLane } from "./websocket-frames.ts";

interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly payload: Buffer;
}

/** A frame's bytes. The length may be written longer than needed, as nobody forbids a receiver to take it. */
function write({ opcode, fin, rsv1, payload }: Frame, masked: boolean): Buffer {
  const first = (fin ? 128 : 0) | (rsv1 ? 64 : 0) | opcode;
  const mask = masked ? 128 : 0;
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([first, mask | length])
      : length < 65536
        ? Buffer.from([first, mask | 126, length >> 8, length & 255])
        : Buffer.from([
            first,
            mask | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255,
          ]);
  return Buffer.concat([head, masked ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0), payload]);
}

const data = fc.record({
  opcode: fc.constantFrom(0, 1, 2),
  fin: fc.boolean(),
  rsv1: fc.boolean(),
  payload: fc
    .oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(125, 126, 127, 65535, 65536, 70_000))
    .map((length) => Buffer.alloc(length, 0x88)), // looks like the beginning of a close frame
});
const control = fc.record({
  opcode: fc.constantFrom(9, 10),
  fin: fc.constant(true),
  rsv1: fc.constant(false),
  payload: fc.integer({ min: 0, max: 125 }).map((length) => Buffer.alloc(length, 0x88)),
});
const frames = fc.array(fc.oneof(data, control), { minLength: 1, maxLength: 6 });

function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, [...at, bytes.length][i]));
}

/** The code of a close frame at the end of these bytes, unmasked; undefined where there is none. */
function codeAt(bytes: Buffer, masked: boolean): number | undefined {
  const frame = bytes.subarray(bytes.length - (masked ? 8 : 4));
  if (frame[0] !== 0x88 || frame[1] !== (masked ? 0x82 : 2)) return undefined;
  if (!masked) return frame.readUInt16BE(2);
  return ((frame[6]! ^ frame[2]!) << 8) | (frame[7]! ^ frame[3]!);
}

describe.each([true, false])("one direction of a WebSocket, masked: %s", (masked) => {
  const size = masked ? 8 : 4;

  it("passes everything on, and finds the next boundary wherever it is asked to end", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 8 }), fc.nat(), (all, cuts, when) => {
        const written = all.map((frame) => write(frame, masked));
        const whole = Buffer.concat(written);
        const ends = written.map((_, i) => Buffer.concat(written.slice(0, i + 1)).length);
        const pieces = cutUp(whole, cuts);
        const endBefore = when % (pieces.length + 1);
        const lane = new FrameLane(masked);
        let passed = Buffer.alloc(0);
        let read = 0;
        let askedAt = -1;
        for (const [i, piece] of [...pieces, Buffer.alloc(0)].entries()) {
          if (i === endBefore) {
            askedAt = read;
            passed = Buffer.concat([passed, lane.end()]);
          }
          passed = Buffer.concat([passed, lane.pass(piece)]);
          read += piece.length;
        }
        const boundary = [0, ...ends].find((end) => end >= askedAt)!;
        expect(lane.shut).toBe(true);
        expect(passed.length).toBe(boundary + size);
        expect(passed.subarray(0, boundary).equals(whole.subarray(0, boundary))).toBe(true);
        expect(codeAt(passed, masked)).toBe(1001);
      }),
      { numRuns: 300, seed: 20261122 },
    );
  });

  const text = write({ opcode: 1, fin: true, rsv1: false, payload: Buffer.from("hello") }, masked);
  const close = write({ opcode: 8, fin: true, rsv1: false, payload: Buffer.from([3, 232]) }, masked);

  it("says nothing after the sender's own close frame, and knows that it came", () => {
    const lane = new FrameLane(masked);
    expect(lane.pass(Buffer.concat([text, close]))).toHaveLength(text.length + close.length);
    expect(lane.closed).toBe(true);
    expect(lane.end()).toHaveLength(0);
    expect(lane.shut).toBe(true);
  });

  it("hears the sender's answer after it was shut, in single bytes, and passes nothing on", () => {
    const lane = new FrameLane(masked);
    expect(lane.end()).toHaveLength(size);
    for (const byte of Buffer.concat([text, close])) {
      expect(lane.closed).toBe(false);
      expect(lane.pass(Buffer.from([byte]))).toHaveLength(0);
    }
    expect(lane.closed).toBe(true);
  });

  it.each([
    ["an unknown opcode", write({ opcode: 3, fin: true, rsv1: false, payload: Buffer.alloc(0) }, masked)],
    [
      "a control frame in parts",
      write({ opcode: 9, fin: false, rsv1: false, payload: Buffer.alloc(0) }, masked),
    ],
    [
      "a long control frame",
      write({ opcode: 9, fin: true, rsv1: false, payload: Buffer.alloc(126) }, masked),
    ],
    [
      "the other side's masking",
      write({ opcode: 1, fin: true, rsv1: false, payload: Buffer.alloc(2) }, !masked),
    ],
    [
      "a length beyond all",
      Buffer.from([129, (masked ? 128 : 0) | 127, 255, 255, 255, 255, 255, 255, 255, 255]),
    ],
  ])("passes on what is no frame, and puts nothing into it: %s", (_name, bytes) => {
    const lane = new FrameLane(masked);
    expect(lane.pass(bytes)).toBe(bytes);
    expect(lane.lost).toBe(true);
    expect(lane.end()).toHaveLength(0);
    expect(lane.pass(text)).toBe(text);
    expect(lane.shut).toBe(false);
  });
});
