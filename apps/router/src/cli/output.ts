import { styleText } from "node:util";

/** Control characters but line ends, tabs and the colors of {@link paint}. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /\x1b(?!\[[\d;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;

/** A line on stdout. What somebody wrote as a reason does not get to move a terminal's cursor, or rename its window. */
export function print(text: string): void {
  process.stdout.write(`${text.replace(CONTROLS, "\uFFFD")}\n`);
}

/** What strangers sent, as a part of one line: neither lines nor colors of its own. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, "\uFFFD");
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** One sentence on stderr. */
export function complain(message: string): void {
  process.stderr.write(`sluice: ${message}\n`);
}

type Style = Parameters<typeof styleText>[0];

/** Colors on a terminal only, and not where NO_COLOR is set. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** `sluice history | head`: a reader that went away is no failure. */
export function endQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit();
    });
  }
}
