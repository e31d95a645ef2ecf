/** Bytes of a hook's output that are kept: its end, where an error stands. */
const KEPT = 8 * 1024;
/** Characters of it that a sentence has. */
const LONGEST = 300;
/** A shorter value is too likely to be a plain word. */
const SHORTEST_SECRET = 4;

/** The end of what a hook said, bounded however much it says. */
export class Output {
  #bytes = Buffer.alloc(0);

  add(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, chunk.length > KEPT ? chunk.subarray(-KEPT) : chunk]);
    this.#bytes = Buffer.from(all.subarray(-KEPT)); // a copy, so that the rest may go
  }

  get text(): string {
    return this.#bytes.toString("utf8");
  }
}

/** Without the values that the configuration keeps secret. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let safe = text;
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_SECRET) safe = safe.replaceAll(secret, "***");
  }
  return safe;
}

/** A text as one line for a sentence: printable, its end if it is long. */
export function excerpt(text: string): string {
  const line = text
    .replace(/[^\P{C}\n\t]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > LONGEST ? `…${line.slice(-LONGEST)}` : line;
}
