import Table from "cli-table3";
import type { Report } from "./parts/part.ts";

/** A report as text; the first column is names, the others are numbers. */
export function tableOf({ title, head, rows, note }: Report, colored: boolean): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
    style: colored ? {} : { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return `${title}\n${table}\n${note}\n`;
}

/** A report as a section in Markdown; numbers to the right. */
export function markdownOf(name: string, { head, rows, note }: Report): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const marks = head.map((_, i) => (i === 0 ? "---" : "---:"));
  const table = [head, marks, ...rows].map(line).join("\n");
  return `### ${name}\n\n${table}\n\n${note.replaceAll("\n", " ")}\n`;
}
