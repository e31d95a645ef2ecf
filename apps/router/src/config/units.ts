import { Refused } from "./errors.ts";

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const BYTES = {
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1 << 10,
  MiB: 1 << 20,
  GiB: 1 << 30,
} as const;

/** The longest time that Node's timers can wait: a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * A duration with its unit (`500ms`, `2s`, `1.5s`, `10m`, `1h`), in whole milliseconds. A bare number is refused,
 * because seconds and milliseconds are too easily confused; only `0` needs no unit, where `zero` allows it.
 * @throws Refused
 */
export function parseDuration(value: unknown, { zero = false }: { zero?: boolean } = {}): number {
  const wanted = `a duration with its unit, such as 500ms, 2s, 10m or 1h${zero ? ", or 0" : ""}`;
  const amount = withUnit(value, MILLISECONDS, wanted);
  const milliseconds = Math.round(amount);
  if (milliseconds === 0 && !(zero && amount === 0)) throw Refused.expected(`${wanted}, of at least 1ms`);
  if (milliseconds > LONGEST) throw Refused.expected(`${wanted}, of at most 24 days (596h)`);
  return milliseconds;
}

/**
 * A size with its unit: `16KiB` and `64MiB` are powers of 1024, `10MB` is a power of 1000, `B` are bytes.
 * @throws Refused
 */
export function parseSize(value: unknown, { zero = false }: { zero?: boolean } = {}): number {
  const wanted = `a size with its unit, such as 512B, 16KiB, 10MiB or 10MB${zero ? ", or 0" : ""}`;
  const bytes = Math.round(withUnit(value, BYTES, wanted));
  if (bytes === 0 && !zero) throw Refused.expected(`${wanted}, of at least 1B`);
  if (!Number.isSafeInteger(bytes)) throw Refused.expected(`${wanted}, of at most 8388607GiB`);
  return bytes;
}

function withUnit(value: unknown, units: Readonly<Record<string, number>>, wanted: string): number {
  if (value === 0 || value === "0") return 0;
  const match = typeof value === "string" ? /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(value) : null;
  const unit = match?.[2] !== undefined && Object.hasOwn(units, match[2]) ? units[match[2]] : undefined;
  if (unit === undefined) throw Refused.expected(wanted);
  return Number(match?.[1]) * unit;
}
