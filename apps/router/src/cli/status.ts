import type { Command } from "commander";
import type { ColorState, State, TargetState } from "./admin-types.ts";
import { formatRate, formatSeconds, formatShare } from "./format.ts";
import { describeGate } from "./gate.ts";
import { connect, globalsOf } from "./globals.ts";
import { paint, print, printJson } from "./output.ts";

export function addStatus(program: Command): void {
  program
    .command("status")
    .summary("colors, weights, health and recent traffic")
    .description("Shows each color's weight, targets and health, and its traffic of the last ten seconds.")
    .addHelpText(
      "after",
      "\nExamples:\n  $ sluice status\n  $ sluice status --json\n  $ sluice status --admin http://10.0.0.5:9900 --token-file token",
    )
    .action(showStatus);
}

async function showStatus(_options: unknown, self: Command): Promise<void> {
  const state = await fetchState(self);
  if (globalsOf(self).json) return printJson(state);
  const { table } = await import("./table.ts");
  const head = ["color", "weight", "targets", "in flight", "req/s", "errors", "p50", "p99"];
  print(
    table(
      head,
      state.colors.map((color) => row(color, state.standby)),
      [1, 3, 4, 5, 6, 7],
    ),
  );
  if (state.gate) print(paint("yellow", `\n${describeGate(state.gate)}`));
  const { rollout } = state;
  if (rollout) {
    const { candidate, phase, share, step, steps, paused } = rollout;
    const where = `${phase.replaceAll("_", " ")}${paused === null ? "" : " (paused)"}, step ${step} of ${steps}`;
    print(`\nrollout ${rollout.id}: ${share} % to ${candidate}, ${where}; \`sluice rollout\` shows more`);
  }
  print(paint("dim", `\nrevision ${state.revision}, epoch ${state.epoch}`));
}

/** What the router says of itself. */
export async function fetchState(command: Command): Promise<State> {
  const client = connect(command);
  return client.call<State>("/admin/state", {}, ({ colors }) =>
    Array.isArray(colors) ? undefined : "its answer has no colors",
  );
}

function row(color: ColorState, standby: string | null | undefined): string[] {
  const retiring = (color.retiring ?? []).map((target) => `${formatTarget(target)} (retiring)`);
  return [
    color.name === standby ? `${color.name} (standby)` : color.name,
    formatShare(color.share),
    [...color.targets.map(formatTarget), ...retiring].join("\n") || paint("yellow", "none"),
    `${color.in_flight ?? "–"}${color.tunnels ? ` + ${color.tunnels} tunnels` : ""}`,
    formatRate(color.rate),
    formatErrors(color.error_ratio),
    formatSeconds(color.p50),
    formatSeconds(color.p99),
  ];
}

const STYLES = { up: "green", down: "red", ejected: "red", starting: "yellow" } as const;

/** `up http://127.0.0.1:8001 1.0.0`. */
export function formatTarget({ url, health, suspect, version }: TargetState): string {
  const style = Object.hasOwn(STYLES, health) ? STYLES[health as keyof typeof STYLES] : "yellow";
  return `${paint(style, health)} ${url}${version ? ` ${version}` : ""}${suspect ? paint("yellow", " (suspect)") : ""}`;
}

function formatErrors(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return "–";
  return ratio > 0 ? paint("red", formatShare(ratio)) : formatShare(0);
}
