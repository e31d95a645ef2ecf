/** A string, or a mark that says where objects begin and end and what is a key. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/**
 * A key that an object names twice, of text that is valid JSON. `JSON.parse` keeps the last one in silence, and a weight
 * that was meant but not taken would move traffic (RFC 8259 section 4).
 */
export function repeatedKey(text: string): string | undefined {
  const keys: Set<string>[] = [];
  let word = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('"')) word = token;
    else if (token === "{" || token === "[") keys.push(new Set());
    else if (token === "}" || token === "]") keys.pop();
    else if (token === ":") {
      const key = JSON.parse(word) as string;
      const seen = keys.at(-1)!;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}
