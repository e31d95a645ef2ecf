const NAMED: Readonly<Record<string, string>> = { "\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\" };

/** Bytes as one line of printable ASCII, as they stand in the corpus and in reports of failures. */
export function escaped(bytes: Buffer | string): string {
  const text = typeof bytes === "string" ? bytes : bytes.toString("latin1");
  return text.replace(/[^\x20-\x5b\x5d-\x7e]/g, (character) => {
    return NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** The inverse of {@link escaped}. @throws Error at an escape that it does not know */
export function unescaped(line: string): Buffer {
  const text = line.replace(/\\(x([\da-f]{2})|.|$)/g, (found, letter: string, hex?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const named = Object.entries(NAMED).find(([, written]) => written === `\\${letter}`);
    if (!named) throw new Error(`not an escape: ${found}`);
    return named[0];
  });
  return Buffer.from(text, "latin1");
}
