import type { Command } from "commander";
import type { AdminClient } from "./admin-client.ts";
import type { HistoryEntry, Weights } from "./admin-types.ts";
import { usageError } from "./errors.ts";
import { formatWeights } from "./format.ts";
import { connect, globalsOf } from "./globals.ts";
import { print, printJson } from "./output.ts";
import type { RolloutSummary } from "./rollout/types.ts";

export function addHistory(program: Command): void {
  program
    .command("history")
    .summary("who changed what, when and why")
    .description("Lists the changes, the newest first.")
    .option("-n, --limit <number>", "how many", "20")
    .option("--releases", "list releases by rollout in place of single changes")
    .addHelpText(
      "after",
      "\nExamples:\n  $ sluice history\n  $ sluice history -n 100 --json\n  $ sluice history --releases\n  $ sluice rollout export 20261122T041500Z-1f3a > release.json",
    )
    .action(showHistory);
}

async function showHistory(
  { limit, releases }: { limit: string; releases?: boolean },
  self: Command,
): Promise<void> {
  if (!/^[1-9]\d{0,5}$/.test(limit)) {
    throw usageError(`--limit is ${JSON.stringify(limit)}; expected a whole number of at least 1.`);
  }
  const client = connect(self);
  if (releases) return await listReleases(client, Number(limit), globalsOf(self).json === true);
  const { history } = await client.call<{ history: HistoryEntry[] }>(
    "/admin/history",
    { query: { limit } },
    (answer) => (Array.isArray(answer.history) ? undefined : "its answer has no history"),
  );
  const newest = history.toSorted((a, b) => b.revision - a.revision).slice(0, Number(limit));
  if (globalsOf(self).json) return printJson(newest);
  if (newest.length === 0) return print("Nothing was changed yet.");
  const { table } = await import("./table.ts");
  const rows = newest.map(({ revision, at, kind, who, why, gate, from, to }) => [
    String(revision),
    localTime(at),
    kind,
    gate === undefined ? `${side(from)} → ${side(to)}` : `new requests: ${GATES[gate] ?? gate}`,
    who ?? "",
    why ?? "",
  ]);
  print(table(["revision", "when", "what", "change", "who", "why"], rows));
}

/** Rollouts that are kept, the newest first. */
async function listReleases(client: AdminClient, limit: number, json: boolean): Promise<void> {
  const { rollouts } = await client.call<{ rollouts: RolloutSummary[] }>("/admin/rollouts", {}, (answer) =>
    Array.isArray(answer.rollouts) ? undefined : "its answer has no rollouts",
  );
  const newest = rollouts.slice(0, limit);
  if (json) return printJson(newest);
  if (newest.length === 0) return print("Nothing was released by a rollout yet.");
  const { showReleases } = await import("./rollout/show.ts");
  print(showReleases(newest));
}
/** What becomes of new requests. */
const GATES: Readonly<Record<string, string>> = { open: "go on", pause: "held", maintenance: "503" };

/** A local `2026-11-21 20:15:04`. */
function localTime(at: string): string {
  return new Date(at).toLocaleString("sv-SE");
}

function side(value: Readonly<Record<string, unknown>> | undefined): string {
  const entries = Object.entries(value ?? {});
  if (entries.length === 0) return "–";
  if (entries.every(([, each]) => typeof each === "number")) return formatWeights(value as Weights);
  return entries
    .map(([color, each]) => `${color} ${Array.isArray(each) ? each.join(" ") || "none" : String(each)}`)
    .join(", ");
}
