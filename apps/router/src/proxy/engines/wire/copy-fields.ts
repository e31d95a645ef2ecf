import type { Head } from "./head.ts";

/** Which fields of a head do not go on. */
export interface Dropped {
  /** Bit per kind. */
  readonly kinds: number;
  /** Names in lower case. */
  readonly named: ReadonlySet<string> | undefined;
  /** One more name in lower case. */
  readonly also: string | undefined;
}

/**
 * The lines of a head that go on, copied in runs: most heads are one or two. White space around a value is not part of
 * it (RFC 9112 section 5.1), so a line with more than one space is said anew.
 */
export function copyFields(head: Head, dropped: Dropped): string {
  const { text, count, kinds } = head;
  const byName = dropped.named !== undefined || dropped.also !== undefined;
  let kept = "";
  let run = -1;
  for (let i = 0; i < count; i++) {
    const drop = (dropped.kinds & (1 << kinds[i]!)) !== 0 || (byName && isNamed(head.name(i), dropped));
    if (!drop && isPlain(head, i)) {
      if (run < 0) run = head.lineAt(i);
      continue;
    }
    if (run >= 0) {
      kept += text.substring(run, head.lineAt(i));
      run = -1;
    }
    if (!drop) kept += `${head.name(i)}: ${head.value(i)}\r\n`;
  }
  return run < 0 ? kept : kept + text.substring(run, text.length - 2);
}

function isNamed(name: string, { named, also }: Dropped): boolean {
  const lower = name.toLowerCase();
  return lower === also || named?.has(lower) === true;
}

/** `Name: value` with one space and nothing behind the value. */
function isPlain(head: Head, i: number): boolean {
  const at = i * 4;
  const { offsets } = head;
  return offsets[at + 2] === offsets[at + 1]! + 2 && head.lineAt(i + 1) === offsets[at + 3]! + 2;
}
