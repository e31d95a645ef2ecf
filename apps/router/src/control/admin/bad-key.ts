/** A string, or a mark that says where objects begin and end and what is a key. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/**
 * Why a key of text that is valid JSON is refused; undefined where all are well. `JSON.parse` keeps the last of two that are the same
 * in silence, and a weight that was meant but not taken would move traffic (RFC 8259 section 4). Records of zod drop `__proto__`
 * in silence, and a rollout would begin without the guards that were meant.
 */
export function badKey(text: string): string | undefined {
  const keys: Set<string>[] = [];
  let word = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('"')) word = token;
    else if (token === "{" || token === "[") keys.push(new Set());
    else if (token === "}" || token === "]") keys.pop();
    else if (token === ":") {
      const key = JSON.parse(word) as string;
      const seen = keys.at(-1)!;
      if (key === "__proto__") return 'The body names "__proto__", which is no key; leave it out.';
      if (seen.has(key)) return `The body names ${JSON.stringify(key)} twice.`;
      seen.add(key);
    }
  }
  return undefined;
}
