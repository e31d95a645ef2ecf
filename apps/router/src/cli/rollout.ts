import type { Command } from "commander";
import type { Call } from "./admin-client.ts";
import { connect, globalsOf } from "./globals.ts";
import { complain, print, printJson } from "./output.ts";
import type { PlanFlags } from "./rollout/plan.ts";
import type { Rollout } from "./rollout/types.ts";

interface Watching {
  readonly watch?: boolean;
}

export function addRollout(program: Command): void {
  const rollout = program
    .command("rollout")
    .summary("move weight step by step, judged by evidence")
    .description(
      "Releases a candidate step by step. Sluice rolls it back when it is worse than the stable color, and promotes it when it has shown that it is not.",
    );
  addStart(rollout);
  addShow(rollout);
  addSay(rollout, "pause", "keep the weights as they are; guards go on watching");
  addSay(rollout, "resume", "go on, and accept the guard whose breach paused it");
  addSay(rollout, "promote", "approve the step that waits")
    .option("--full", "skip every wait and gate")
    .option("--force", "skip promotion's guards as well");
  addSay(rollout, "abort", "all requests to the stable color, at once");
  addExport(rollout);
  rollout.hook("preSubcommand", refuseOtherVerbs);
  rollout.addHelpText(
    "after",
    `
Examples:
  $ sluice rollout start green --steps 5,25,50,100 --slow-after 250ms --watch
  $ sluice rollout start --plan release.yaml
  $ sluice rollout status --watch
  $ sluice rollout promote
  $ sluice rollout abort --reason "support is getting calls"
  $ sluice rollout export > release.json
  $ sluice rollout export --evidence > evidence.ndjson`,
  );
}

/** `status` need not be named before an id; any other word was meant for a verb. */
function refuseOtherVerbs(rollout: Command): void {
  const [word] = rollout.args;
  if (word === undefined || /^(-|\d|current$)/.test(word)) return; // an option, or an id
  if (rollout.commands.some((verb) => verb.name() === word)) return;
  rollout.error(`error: unknown command '${word}'`, { code: "commander.unknownCommand", exitCode: 1 });
}

function addStart(rollout: Command): void {
  rollout
    .command("start")
    .summary("begin to release a color")
    .argument("[candidate]", "the color that is to get all requests; it has none now")
    .option("--plan <file>", "YAML or JSON with the keys of POST /admin/rollouts; options go before it")
    .option(
      "--expect <what>",
      "same: answers as the stable color does; better: may differ, and a shadow's pairs with actual values show that it is not worse",
    )
    .option("--steps <percentages>", "such as 5,25,50,100, which is the default")
    .option("--step-min <duration>", "a step lasts at least this long (default 60s)")
    .option("--step-requests <number>", "and until the candidate has had so many requests (default 100)")
    .option("--bake <duration>", "how long 100 % is watched (default 10m)")
    .option("--max-duration <duration>", "then it is paused, or rolled back (default 24h)")
    .option("--on-timeout <action>", "pause or rollback (default pause)")
    .option("--on-breach <action>", "rollback or pause (default rollback)")
    .option("--alpha <number>", "risk of rolling an innocent candidate back (default 0.01)")
    .option("--guards <names>", "such as errors,slow,rejected (default: the usual ones)")
    .option("--slow-after <duration>", "what the guard slow calls slow (default: the stable color's p95)")
    .option("--gates <percentages>", "steps that somebody approves first")
    .option("--checks <names>", "what must be so before the first step (default: the usual ones)")
    .option("--reason <text>", "why, for the record")
    .option("-w, --watch", "show it until it is over; exit code 1 unless it is promoted")
    .action(async (candidate: string | undefined, flags: PlanFlags & Watching, self: Command) => {
      const { planBody } = await import("./rollout/plan.ts");
      const body = planBody(candidate, flags);
      const started = await askRollout(self, "/admin/rollouts", { method: "POST", body });
      await answer(self, started, flags.watch === true);
    });
}

function addShow(rollout: Command): void {
  rollout
    .command("status", { isDefault: true })
    .summary("phase, evidence against thresholds, forecast")
    .argument("[id]", "a rollout's id (default: the newest)", "current")
    .option("-w, --watch", "show it until it is over; exit code 1 unless it is promoted")
    .action(async (id: string, { watch }: Watching, self: Command) => {
      const found = await askRollout(self, pathOf(id));
      await answer(self, found, watch === true);
    });
}

function addSay(rollout: Command, verb: string, summary: string): Command {
  return rollout
    .command(verb)
    .summary(summary)
    .argument("[id]", "a rollout's id (default: the newest)", "current")
    .option("--reason <text>", "why, for the record")
    .action(
      async (id: string, flags: { reason?: string; full?: boolean; force?: boolean }, self: Command) => {
        const { reason, full, force } = flags;
        const body = { ...(reason && { reason }), ...(full && { full }), ...(force && { force }) };
        const said = await askRollout(self, `${pathOf(id)}/${verb}`, { method: "POST", body });
        if (globalsOf(self).json) printJson(said);
        else print(`${said.id}: ${said.phase.replaceAll("_", " ")}, ${said.share} %. ${said.next}`);
        if (said.saved === false)
          complain("it is in force but could not be saved; the router goes on trying.");
      },
    );
}

function addExport(rollout: Command): void {
  rollout
    .command("export")
    .summary("print the record of a release as JSON")
    .argument("[id]", "a rollout's id (default: the newest)", "current")
    .option("--evidence", "only its evidence, one JSON object a line, as `sluice replay --evidence` reads it")
    .action(async (id: string, { evidence }: { evidence?: boolean }, self: Command) => {
      const record = await askRollout(self, pathOf(id));
      if (!evidence) return printJson(record);
      const { auditLines } = await import("../core/verdict/audit.ts");
      for (const line of auditLines(record.plan.judgement, record.evidence)) print(JSON.stringify(line));
    });
}

const pathOf = (id: string) => `/admin/rollouts/${encodeURIComponent(id)}`;

function askRollout(self: Command, path: string, call: Call = {}): Promise<Rollout> {
  return connect(self).call<Rollout>(path, call, ({ guards }) =>
    Array.isArray(guards) ? undefined : "its answer is no rollout",
  );
}

async function answer(self: Command, rollout: Rollout, watch: boolean): Promise<void> {
  const client = connect(self);
  const json = globalsOf(self).json === true;
  if (watch) {
    const { watchRollout } = await import("./rollout/watch.ts");
    return await watchRollout(client, { id: rollout.id, json });
  }
  const { showRollout } = await import("./rollout/show.ts");
  if (json) printJson(rollout);
  else print(showRollout(rollout));
}
