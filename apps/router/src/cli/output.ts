import { styleText } from "node:util";

/** A line on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
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
