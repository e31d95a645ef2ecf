import { Command, CommanderError, InvalidArgumentError } from "commander";

export const PARTS = [
  "small",
  "workers",
  "latency",
  "body",
  "idle",
  "growth",
  "rollout",
  "answers",
  "grpc",
] as const;
export type PartName = (typeof PARTS)[number];

export interface Options {
  readonly parts: readonly PartName[];
  /** Length of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  /** Bytes of a large body. */
  readonly size: number;
  /** Idle connections. */
  readonly idle: number;
  /** Requests over which memory is watched. */
  readonly growth: number;
  /** Tables as Markdown. */
  readonly markdown: boolean;
}

/** Reads the command line. Throws commander's error, with its message printed, where it is wrong or asks for help. */
export function readOptions(argv: readonly string[]): Options {
  const command = new Command("bench")
    .description("Sluice beside nginx, HAProxy, Caddy and http-proxy, on one pinned core.")
    .argument("[parts...]", `what to measure: ${PARTS.join(", ")} (default: all)`, collectPart)
    .option("--seconds <n>", "length of one measurement of small, workers and latency", between(1, 60), 2)
    .option("--rounds <n>", "measurements of each; the tables show medians", between(1, 20), 3)
    .option(
      "--connections <n>",
      "keep-alive connections of small, workers, latency and growth",
      between(1, 1000),
      64,
    )
    .option("--size <bytes>", "size of body's bodies, with B, KiB, MiB or GiB", parseSize, 2 ** 30)
    .option("--idle <n>", "idle connections", between(1, 100_000), 10_000)
    .option("--growth <n>", "requests of growth", between(10_000, 100_000_000), 2_000_000)
    .option("--markdown", "print tables as Markdown", false)
    .exitOverride()
    .parse(argv, { from: "user" });
  const named = (command.processedArgs[0] ?? []) as readonly PartName[];
  const parts = named.length === 0 ? PARTS : PARTS.filter((part) => named.includes(part));
  return { ...command.opts<Omit<Options, "parts">>(), parts };
}

/** What a program that read wrong options ends with; undefined for any other error. */
export function exitCodeOf(error: unknown): number | undefined {
  return error instanceof CommanderError ? error.exitCode : undefined;
}

function collectPart(text: string, before: readonly PartName[] | undefined): readonly PartName[] {
  const part = PARTS.find((name) => name === text);
  if (part === undefined) throw new InvalidArgumentError(`Expected ${PARTS.join(", ")}.`);
  return [...(before ?? []), part];
}

function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
  };
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function parseSize(text: string): number {
  const [, number, unit] = /^(\d+)(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(number) * UNITS[unit ?? "B"]!;
  if (bytes >= 1 && bytes <= 16 * 2 ** 30) return bytes;
  throw new InvalidArgumentError("Expected a size from 1B to 16GiB, such as 64MiB.");
}
