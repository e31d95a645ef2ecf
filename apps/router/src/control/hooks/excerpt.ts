/** Bytes of a hook's output that are kept: its end, where an error stands. */
const KEPT = 8 * 1024;
/** Characters of it that a sentence has. */
const LONGEST = 300;
/** A shorter value is too likely to be a plain word. */
const SHORTEST_SECRET = 4;
const MASK = "***";

/** The end of what a hook said, bounded however much it says, without the values that the configuration keeps secret. */
export class Output {
  /** Longest first: one may be a part of another. */
  readonly #secrets: readonly string[];
  #bytes = Buffer.alloc(0);
  #lacksStart = false;
  #lacksEnd = false;

  constructor(secrets: Iterable<string>) {
    this.#secrets = [...secrets]
      .filter((secret) => secret.length >= SHORTEST_SECRET)
      .sort((a, b) => b.length - a.length);
  }

  add(chunk: Uint8Array): void {
    this.#lacksStart ||= this.#bytes.length + chunk.length > KEPT;
    const all = Buffer.concat([this.#bytes, chunk.length > KEPT ? chunk.subarray(-KEPT) : chunk]);
    this.#bytes = Buffer.from(all.subarray(-KEPT)); // a copy, so that the rest may go
  }

  /** It says more, which nobody reads. */
  breakOff(): void {
    this.#lacksEnd = true;
  }

  get text(): string {
    let text = this.#bytes.toString("utf8");
    if (this.#lacksStart) text = this.#maskStart(text.replace(/^\uFFFD+/, ""));
    if (this.#lacksEnd) text = this.#maskEnd(text.replace(/\uFFFD+$/, ""));
    for (const secret of this.#secrets) text = text.replaceAll(secret, MASK);
    return text;
  }

  /** What may be the rest of a secret that was cut. */
  #maskStart(text: string): string {
    const cut = this.#longestCut((secret, length) => text.startsWith(secret.slice(-length)));
    return cut > 0 ? MASK + text.slice(cut) : text;
  }

  #maskEnd(text: string): string {
    const cut = this.#longestCut((secret, length) => text.endsWith(secret.slice(0, length)));
    return cut > 0 ? text.slice(0, -cut) + MASK : text;
  }

  /** How many characters of a secret are there at most; 0: none. */
  #longestCut(isThere: (secret: string, length: number) => boolean): number {
    let longest = 0;
    for (const secret of this.#secrets) {
      for (let length = secret.length; length > longest; length--) {
        if (isThere(secret, length)) longest = length;
      }
    }
    return longest;
  }
}

/** A text as one line for a sentence: printable, its end if it is long. */
export function excerpt(text: string): string {
  const line = text
    .replace(/[^\P{C}\n\t]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > LONGEST ? `…${line.slice(-LONGEST)}` : line;
}
