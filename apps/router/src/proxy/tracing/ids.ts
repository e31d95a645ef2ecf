import { randomFillSync } from "node:crypto";

/** Random bytes drawn at once, because each call into the system's generator costs more than an id. */
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}

/** 32 hexadecimal digits. All zeros, which no id may be, come once in 2¹²⁸ draws. */
export const newTraceId = (): string => randomHex(16);
/** 16 hexadecimal digits, not all 0. */
export const newSpanId = (): string => {
  const id = randomHex(8);
  return id === "0000000000000000" ? newSpanId() : id;
};
