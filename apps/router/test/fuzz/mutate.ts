import fc from "fast-check";
import { BYTES, EXTENSIONS, LINES, WORDS } from "./words.ts";

/** One change: which kind, and two numbers that say where and how. */
export type Change = readonly [kind: number, a: number, b: number];

/** A mutated message, before its changes are made. */
export interface Recipe {
  readonly base: number;
  /** The message whose tail takes part in a splice, or which follows. */
  readonly other: number;
  readonly changes: readonly Change[];
}

const BITS = 2 ** 16 - 1;

/** Small numbers of changes come most often, so that many messages stay valid. */
export const recipe: fc.Arbitrary<Recipe> = fc.record({
  base: fc.nat(BITS),
  other: fc.nat(BITS),
  changes: fc.array(fc.tuple(fc.nat(255), fc.nat(BITS), fc.nat(BITS)), { maxLength: 4, size: "max" }),
});

export function mutated(corpus: readonly Buffer[], { base, other, changes }: Recipe): Buffer {
  let text = corpus[base % corpus.length]!.toString("latin1");
  const second = corpus[other % corpus.length]!.toString("latin1");
  for (const [kind, a, b] of changes) text = CHANGES[kind % CHANGES.length]!(text, a, b, second);
  return Buffer.from(text, "latin1");
}

type Mutator = (text: string, a: number, b: number, second: string) => string;

const at = (text: string, n: number) => n % (text.length + 1);

function slice(text: string, a: number, b: number): [start: number, end: number] {
  const start = at(text, a);
  return [start, Math.min(text.length, start + 1 + (b % 24))];
}

/** Replaces the nth match, if there is any. */
function nth(text: string, pattern: RegExp, n: number, by: (found: string) => string): string {
  const all = [...text.matchAll(pattern)];
  const match = all[n % (all.length || 1)];
  if (!match) return text;
  return text.slice(0, match.index) + by(match[0]) + text.slice(match.index + match[0].length);
}

const insertAt = (text: string, where: number, what: string) =>
  text.slice(0, where) + what + text.slice(where);
const insertLine = (text: string, n: number, line: string) =>
  nth(text, /\r\n(?=[^\r\n])/g, n, (found) => `${found}${line}\r\n`);

/** Each takes a message and gives another; most leave a good part of all messages valid. */
const CHANGES: readonly Mutator[] = [
  // A bit flipped, a byte replaced, inserted.
  (text, a, b) => {
    const where = a % (text.length || 1);
    const flipped = String.fromCharCode((text.charCodeAt(where) ^ (1 << (b % 8))) & 255);
    return text.slice(0, where) + flipped + text.slice(where + 1);
  },
  (text, a, b) => text.slice(0, at(text, a)) + BYTES[b % BYTES.length] + text.slice(at(text, a) + 1),
  (text, a, b) => insertAt(text, at(text, a), BYTES[b % BYTES.length]!),
  (text, a, b) => insertAt(text, at(text, a), WORDS[b % WORDS.length]!),
  // Slices deleted, doubled, exchanged.
  (text, a, b) => text.slice(0, slice(text, a, b)[0]) + text.slice(slice(text, a, b)[1]),
  (text, a, b) => insertAt(text, slice(text, a, b)[1], text.slice(...slice(text, a, b))),
  (text, a, b) => {
    const [start, end] = slice(text, a, b);
    const middle = Math.min(text.length, end + 1 + (a % 24));
    return text.slice(0, start) + text.slice(end, middle) + text.slice(start, end) + text.slice(middle);
  },
  (text, a) => text.slice(0, at(text, a)),
  // Two messages spliced, or one behind the other.
  (text, a, b, second) => text.slice(0, at(text, a)) + second.slice(at(second, b)),
  (text, _a, _b, second) => text + second,
  (text, _a, _b, second) => second + text,
  // Line ends.
  (text, a, b) => nth(text, /\r\n/g, a, () => ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", " \r\n", ""][b % 7]!),
  (text, a) => nth(text, /\r\n/g, a, (found) => found + found),
  // Fields: framing ones beside what is there, lines doubled, white space around names and values.
  (text, a, b) => insertLine(text, a, LINES[b % LINES.length]!),
  (text, a, b) => insertLine(text, a, LINES[b % LINES.length]!),
  (text, a, b) =>
    nth(text, /(?<=\n)(?:content-length|transfer-encoding):[^\r\n]*/gi, a, () => LINES[b % LINES.length]!),
  (text, a) => nth(text, /[^\r\n]+\r\n/g, a, (found) => found + found),
  (text, a, b) =>
    nth(text, /:[\t ]*/g, a, () => [":", ": ", ":\t", " : ", ":\t ", ":  ", "\t:", ":\v", ": \xa0"][b % 9]!),
  (text, a, b) =>
    nth(text, /\r\n/g, a, () => [" \r\n", "\t\r\n", " \t \r\n", "\xa0\r\n", ",\r\n", ";\r\n"][b % 6]!),
  // Letters in another case.
  (text, a) =>
    nth(text, /[A-Za-z-]+/g, a, (found) =>
      found === found.toUpperCase() ? found.toLowerCase() : found.toUpperCase(),
    ),
  // Digits: sizes, lengths, statuses, versions.
  (text, a, b) =>
    nth(text, /\d+/g, a, (found) => {
      const forms = [
        `+${found}`,
        `-${found}`,
        `0${found}`,
        `0x${found}`,
        ` ${found}`,
        `${found} `,
        `${found}0`,
      ];
      return [...forms, `${Number(found) + 1}`, `${Math.max(0, Number(found) - 1)}`, `${found}_`, ""][
        b % 11
      ]!;
    }),
  (text, a, b) => nth(text, / \d\d\d(?=[ \r])/g, a, () => ` ${100 + (b % 520)}`),
  (text, a) => nth(text, / \d\d\d(?=[ \r])/g, 0, () => ` ${[101, 102, 199, 204, 304, 205][a % 6]}`),
  // Chunks.
  (text, a, b) =>
    nth(text, /(?<=\r\n)[\da-fA-F]+(?=[;\r])/g, a, (found) => found + EXTENSIONS[b % EXTENSIONS.length]),
  (text, a, b) => nth(text, /(?<=\r\n0\r\n)/g, a, () => `${LINES[b % LINES.length]}\r\n`),
  (text, a, b) =>
    nth(
      text,
      /(?<=\r\n)0\r\n/g,
      a,
      (found) => `${(1 + (b % 40)).toString(16)}\r\n${"z".repeat(1 + (b % 40))}\r\n${found}`,
    ),
  // Much of something.
  (text, a, b) =>
    b % 4 === 0
      ? insertLine(text, a, `X-Long: ${"l".repeat(b % 6000)}`)
      : insertLine(text, a, `X-Long: ${"l".repeat(b % 60)}`),
  (text, a, b) =>
    b % 4 === 0
      ? insertLine(text, a, Array.from({ length: b % 50 }, (_, i) => `X-${i}: ${i}`).join("\r\n") || "X: 0")
      : insertLine(text, a, "X: 0"),
  (text, a, b) =>
    b % 4 === 0
      ? nth(text, /(?<=\r\n)[\da-fA-F]+(?=[;\r])/g, a, (found) => `${found};${"e".repeat(b % 600)}`)
      : insertAt(text, at(text, a), "\r\n".repeat(b % 7)),
];
