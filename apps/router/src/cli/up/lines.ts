import type { Weights } from "../admin-types.ts";
import { formatWeights } from "../format.ts";
import { paint } from "../output.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];
/** What every line has, or what is of no use to a reader. */
const SILENT: ReadonlySet<string> = new Set(
  "level time msg pid hostname color request_id err at epoch from to".split(" "),
);

interface Entry {
  readonly level: string;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A log line as a person reads it: `20:15:04 router warn  target down target=http://127.0.0.1:8002`.
 * Undefined for what is below `least`. A line that is no JSON is shown as it stands.
 */
export function compactLine(name: string, line: string, now: Date, least = "info"): string | undefined {
  const entry = parseEntry(line);
  if (!entry) return line.trim() === "" ? undefined : head(name, now, line);
  if (LEVELS.indexOf(entry.level) < LEVELS.indexOf(least)) return undefined;
  const style = entry.level === "info" ? undefined : entry.level === "warn" ? "yellow" : "red";
  const level = style ? `${paint(style, entry.level)} ` : "";
  return head(name, now, `${level}${entry.msg}${details(entry)}`);
}

/** A line of the supervisor's own. */
export function head(name: string, now: Date, text: string): string {
  return `${paint("dim", now.toTimeString().slice(0, 8))} ${name.padEnd(6)} ${text}`;
}

/** Levels are words in the router's log and numbers in pino's own. */
function parseEntry(line: string): Entry | undefined {
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const level = typeof fields.level === "number" ? LEVELS[fields.level / 10 - 1] : fields.level;
    return { level: String(level ?? "info"), msg: String(fields.msg ?? ""), fields };
  } catch {
    return undefined;
  }
}

function details({ fields, msg }: Entry): string {
  if (msg === "request") return ` ${request(fields)}`;
  const shown = Object.entries(fields).filter(
    ([key, value]) =>
      !SILENT.has(key) && value !== null && typeof value !== "object" && !msg.includes(String(value)),
  );
  const err = fields.err as { message?: string } | undefined;
  const parts = shown.map(([key, value]) => `${key}=${value}`);
  if (isWeights(fields.from) && isWeights(fields.to)) {
    parts.unshift(`${formatWeights(fields.from)} → ${formatWeights(fields.to)}`);
  }
  if (err?.message) parts.push(err.message);
  return parts.length > 0 ? ` ${paint("dim", parts.join(" "))}` : "";
}

function request({ method, path, status, color, outcome, attempts }: Entry["fields"]): string {
  const tries = Number(attempts) > 1 ? ` after ${attempts} attempts` : "";
  return `${method} ${path} ${status} ${color} ${outcome}${tries}`;
}

function isWeights(value: unknown): value is Weights {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((each) => typeof each === "number")
  );
}
