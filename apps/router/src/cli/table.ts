import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { paint } from "./output.ts";

const NONE = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** The same on a narrow terminal: columns in `spare` are left out, the first one first, until it fits. */
export function tableWithin(
  width: number,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right, spare }: { readonly right: readonly number[]; readonly spare: readonly number[] },
): string {
  for (let left = 0; ; left++) {
    const kept = head.map((_, column) => column).filter((column) => !spare.slice(0, left).includes(column));
    const pick = (cells: readonly string[]) => kept.map((column) => cells[column]!);
    const aligned = kept.flatMap((column, at) => (right.includes(column) ? [at] : []));
    const text = table(pick(head), rows.map(pick), aligned);
    const widest = Math.max(
      ...stripVTControlCharacters(text)
        .split("\n")
        .map((line) => line.length),
    );
    if (widest <= width || left === spare.length) return text;
  }
}

/** Columns without lines, as `docker ps` and `kubectl get` print them; columns in `right` are aligned so. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const grid = new Table({
    chars: NONE,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: head.map((_, column) => (right.includes(column) ? "right" : "left")),
  });
  grid.push(
    head.map((title) => paint("dim", title)),
    ...rows.map((row) => [...row]),
  );
  return grid.toString().replace(/ +$/gm, "");
}
