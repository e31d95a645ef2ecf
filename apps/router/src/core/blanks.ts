/**
 * `text` from `start` on, without spaces and tabs around it (RFC 9110 section 5.6.3); trim() would take a byte 0xA0 for white
 * space, too.
 */
export function withoutBlanks(text: string, start = 0): string {
  let from = start;
  let end = text.length;
  while (from < end && isBlank(text.charCodeAt(from))) from++;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(from, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
