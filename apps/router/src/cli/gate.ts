import type { Command } from "commander";
import type { GateAnswer, GateState } from "./admin-types.ts";
import { addChangeOptions, ask } from "./change.ts";
import { usageError } from "./errors.ts";

export function addPause(program: Command): void {
  const command = program
    .command("pause")
    .summary("hold new requests until they are resumed")
    .description(
      "Holds new requests while those in flight go on: for a database step, or a swap of everything. They go on, in order, with `sluice resume`, or when the pause is over.",
    )
    .option("--max <number>", "requests that each worker holds; one more is answered 503 (default 1000)")
    .option("--hold <duration>", "how long one request waits before it is answered 503 (default 30s)")
    .option("--for <duration>", "after how long the pause ends by itself (default 5m)");
  addChangeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ sluice pause --wait --reason "migrate the database"
  $ sluice pause --for 10m --hold 1m --max 5000
  $ sluice resume`,
    )
    .action(({ max, hold, for: length }: Record<string, string>, self: Command) =>
      gate(self, "/admin/pause", {
        ...(max === undefined ? {} : { max: whole(max) }),
        ...(hold === undefined ? {} : { timeout: hold }),
        ...(length === undefined ? {} : { for: length }),
      }),
    );
}

export function addResume(program: Command): void {
  const command = program
    .command("resume")
    .summary("let held requests go on, in order")
    .description(
      "Ends a pause. Refused when nothing could answer those that wait, unless forced. Where nothing is paused, it says so and changes nothing.",
    )
    .option("--force", "even when no color with weight has a healthy target");
  addChangeOptions(command)
    .addHelpText("after", "\nExample:\n  $ sluice resume")
    .action(({ force }: { force?: boolean }, self: Command) =>
      gate(self, "/admin/resume", force ? { force } : {}),
    );
}

export function addMaintenance(program: Command): void {
  const command = program
    .command("maintenance")
    .summary("answer new requests 503 with a message, or end that")
    .description(
      "Answers every new request 503 with a message. Those that an override sends to a color still reach it, so that you can look before you open.",
    )
    .argument("<on|off>", "whether requests are turned away")
    .option("--message <text>", "what clients are told")
    .option("--retry-after <duration>", "when they may come back (default 1m)");
  addChangeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ sluice maintenance on --message "Back at noon." --retry-after 30m
  $ sluice maintenance off`,
    )
    .action((word: string, { message, retryAfter }: Record<string, string>, self: Command) => {
      if (word !== "on" && word !== "off") throw usageError(`${JSON.stringify(word)}; expected on or off.`);
      return gate(self, "/admin/maintenance", {
        on: word === "on",
        ...(message === undefined ? {} : { message }),
        ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
      });
    });
}

function gate(command: Command, path: string, body: object): Promise<void> {
  return ask<GateAnswer>(command, path, body, {
    fault: ({ gate: state }) => (state === undefined ? "its answer has no gate" : undefined),
    describe: ({ gate: state, changed, revision }) =>
      `${changed === false ? "nothing was held up: " : ""}${describeGate(state)} (revision ${revision})`,
  });
}

/** What becomes of new requests, in a few words. */
export function describeGate(gate: GateState | null): string {
  if (gate === null) return "new requests go on";
  if (gate.kind === "maintenance") return `in maintenance: ${gate.message}`;
  const until = new Date(gate.until).toLocaleTimeString("sv-SE");
  const held = gate.held ? `; ${gate.held} held` : "";
  return `paused until ${until}: each worker holds up to ${gate.max} requests, each for up to ${gate.timeout} s${held}`;
}

function whole(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw usageError(`--max is ${JSON.stringify(text)}; expected a whole number, such as 1000.`);
}
