import type { Command } from "commander";
import type { PairSummary, WorstPair } from "../core/shadow/pairs.ts";
import type { Call } from "./admin-client.ts";
import { usageError } from "./errors.ts";
import { formatShare } from "./format.ts";
import { connect, globalsOf } from "./globals.ts";
import { paint, plain, print, printJson } from "./output.ts";

interface Version {
  readonly version: string | null;
  readonly digest: string | null;
}

/** What the admin API answers, as far as this verb reads it. */
interface ShadowState {
  readonly shadow: {
    readonly color: string;
    readonly against: string;
    readonly percent: number;
    readonly versions: { readonly main: Version; readonly shadow: Version };
  } | null;
  readonly copies: Readonly<Record<string, number>>;
  readonly tolerance: { readonly atol: number; readonly rtol: number };
  readonly compares: boolean;
  readonly pairs: PairSummary;
  readonly slices: Readonly<Record<string, Readonly<Record<string, PairSummary>>>>;
  readonly certificate: { readonly passed: boolean; readonly sentence: string };
}

interface Worst {
  readonly worst: readonly (Omit<WorstPair, "at"> & { readonly at: string })[];
}

export function addShadow(program: Command): void {
  const shadow = program
    .command("shadow")
    .summary("copy requests to a color that serves nobody, and compare")
    .description(
      "Copies requests on declared paths to a color of weight 0 after their clients were answered, and compares predictions.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ sluice shadow start green --percent 25
  $ sluice shadow status
  $ sluice shadow worst
  $ sluice shadow stop`,
    );
  shadow
    .command("start")
    .summary("copy requests to a color")
    .description("Begins to copy requests, or changes how many are copied.")
    .argument("<color>", "a color of weight 0 with a healthy target")
    .option("--percent <number>", "of the requests on declared paths", "100")
    .option("--reason <text>", "why, for the log")
    .action(start);
  shadow
    .command("stop")
    .summary("copy nothing any more")
    .description("Ends the shadow; what was found stays known.")
    .action(async (_options: unknown, self: Command) =>
      show(self, await askShadow(self, { method: "DELETE" })),
    );
  shadow
    .command("status")
    .summary("how predictions compare")
    .description("Shows what was copied, how the predictions compare, and what that proves.")
    .action(async (_options: unknown, self: Command) => show(self, await askShadow(self)));
  shadow
    .command("worst")
    .summary("the pairs that differ most")
    .description(
      "Shows the pairs that differ most; with their requests' queries and bodies where `shadow.bodies` is set.",
    )
    .action(showWorst);
}

async function start(
  color: string,
  { percent, reason }: { percent: string; reason?: string },
  self: Command,
): Promise<void> {
  const share = Number(percent);
  if (percent.trim() === "" || !(share > 0 && share <= 100))
    throw usageError(`--percent is ${JSON.stringify(percent)}; expected a number above 0, up to 100.`);
  const body = { color, percent: share, ...(reason === undefined ? {} : { reason }) };
  await show(self, await askShadow(self, { method: "POST", body }));
}

function askShadow(self: Command, call: Call = {}): Promise<ShadowState> {
  return connect(self).call<ShadowState>("/admin/shadow", call, ({ compares }) =>
    typeof compares === "boolean" ? undefined : "its answer has no shadow",
  );
}

async function show(self: Command, state: ShadowState): Promise<void> {
  if (globalsOf(self).json) return printJson(state);
  const { shadow, copies, pairs, certificate, tolerance } = state;
  if (shadow === null) print("no shadow runs");
  else {
    const { color, against, percent, versions } = shadow;
    const [own, main] = [nameOf(color, versions.shadow), nameOf(against, versions.main)];
    print(`${own} gets copies of ${percent} % of the requests that ${main} answers`);
    print(paint("dim", `copies: ${listOf(copies)}`));
  }
  if (!state.compares) return print("nothing is compared: the configuration has no `predictions`");
  if (pairs.pairs === 0) return print("no pairs yet");
  const { table } = await import("./table.ts");
  const head = ["requests", "pairs", "agree", "mean", "p95", "largest", "broken"];
  const slices = Object.entries(state.slices).flatMap(([field, buckets]) =>
    Object.entries(buckets)
      .sort(([a], [b]) => rankOf(a) - rankOf(b) || a.localeCompare(b, "en", { numeric: true }))
      .map(([bucket, summary]) => row(`${field} ${plain(bucket)}`, summary)),
  );
  print(table(head, [row("all", pairs), ...slices], [1, 2, 3, 4, 5, 6]));
  const within = `agree: within ${tolerance.atol} + ${formatShare(tolerance.rtol)} of the main prediction`;
  print(paint("dim", within));
  print(paint(certificate.passed ? "green" : "yellow", certificate.sentence));
}

/** Bounded buckets first, then what is beyond them, then what is named. */
function rankOf(bucket: string): number {
  return ["≤", ">"].includes(bucket[0]!) ? "≤>".indexOf(bucket[0]!) : 2;
}

async function showWorst(_options: unknown, self: Command): Promise<void> {
  const answer = await connect(self).call<Worst>("/admin/shadow/worst", {}, ({ worst }) =>
    Array.isArray(worst) ? undefined : "its answer has no pairs",
  );
  if (globalsOf(self).json) return printJson(answer);
  if (answer.worst.length === 0) return print("no pairs that differ");
  const { table } = await import("./table.ts");
  const bodies = answer.worst.some(({ body }) => body !== undefined);
  const rows = answer.worst.map((pair) => [
    plain(pair.request_id),
    number(pair.main),
    number(pair.shadow),
    number(pair.difference),
    pair.difference === null ? paint("red", pair.outcome) : "",
    Object.entries(pair.slices)
      .map(([field, bucket]) => `${field} ${plain(bucket)}`)
      .join(", "),
    ...(bodies ? [plain(pair.body ?? "")] : []),
  ]);
  print(
    table(
      ["request", "main", "shadow", "difference", "", "slice", ...(bodies ? ["body"] : [])],
      rows,
      [1, 2, 3],
    ),
  );
}

function row(name: string, { pairs, agreement, mean, p95, largest, broken }: PairSummary): string[] {
  const share = agreement === null ? "–" : formatShare(agreement);
  return [name, String(pairs), share, number(mean), number(p95), number(largest), String(broken)];
}

function number(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(4)));
}

function nameOf(color: string, { version }: Version): string {
  return version === null ? color : `${color} (${version})`;
}

function listOf(copies: Readonly<Record<string, number>>): string {
  const parts = Object.entries(copies).map(([outcome, count]) => `${count} ${outcome}`);
  return parts.length === 0 ? "none yet" : parts.join(", ");
}
