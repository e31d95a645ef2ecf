import { Command } from "commander";
import { VERSION } from "../version.ts";
import { addCheck } from "./check.ts";
import { addDeploy } from "./deploy.ts";
import { addFeedback } from "./feedback.ts";
import { addFlip } from "./flip.ts";
import { addMaintenance, addPause, addResume } from "./gate.ts";
import { addGlobals } from "./globals.ts";
import { addHealth } from "./health.ts";
import { addHistory } from "./history.ts";
import { addPredict } from "./predict.ts";
import { addReplay } from "./replay.ts";
import { addRollback } from "./rollback.ts";
import { addRollout } from "./rollout.ts";
import { addServe } from "./serve.ts";
import { addShadow } from "./shadow.ts";
import { addStatus } from "./status.ts";
import { addTraffic } from "./traffic.ts";
import { addUndo } from "./undo.ts";
import { addUp } from "./up.ts";
import { addUpgrade } from "./upgrade.ts";
import { addWeights } from "./weights.ts";

/** The `sluice` command with all its verbs. What a verb needs to run is imported when it runs, so that each starts fast. */
export function createProgram(): Command {
  const program = new Command("sluice")
    .description(
      "Releases machine-learning models without downtime: splits traffic between versions and moves it.",
    )
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(asSentence(text)) })
    .showHelpAfterError(false)
    .addHelpText(
      "after",
      `
Examples:
  $ sluice up                        a demo: two models and a router
  $ sluice status
  $ sluice deploy --image sluice-api:1.0.1
  $ sluice rollout start green --watch
  $ sluice weights blue=50 green=50
  $ sluice flip green --wait
  $ sluice rollback`,
    );
  addGlobals(program);
  for (const add of [
    addUp,
    addServe,
    addUpgrade,
    addCheck,
    addStatus,
    addHealth,
    addDeploy,
    addRollout,
    addWeights,
    addFlip,
    addRollback,
    addUndo,
    addPause,
    addResume,
    addMaintenance,
    addShadow,
    addHistory,
    addPredict,
    addReplay,
    addTraffic,
    addFeedback,
  ]) {
    add(program);
  }
  for (const verb of program.commands) if (verb.commands.length > 0) nameVerbs(verb);
  return program;
}

const asSentence = (text: string): string => text.replace(/^error: /, "sluice: ").replace(/\n\(/, " (");

/** A verb that has verbs, such as `shadow`, says which, where it is given another. */
function nameVerbs(verb: Command): void {
  const names = verb.commands.map((each) => each.name()).join(", ");
  verb.configureOutput({
    outputError: (text, write) =>
      write(asSentence(text.replace(/^(error: unknown command '.*')$/m, `$1; expected ${names}`))),
  });
}
