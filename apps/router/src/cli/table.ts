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
