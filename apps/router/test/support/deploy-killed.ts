// `sluice deploy` that kills itself: `node deploy-killed.ts begin|end PHASE ARGUMENTS`, for the tests of what the next one does.

import { runDeploy } from "../../src/cli/deploy/command.ts";
import type { DeployFlags } from "../../src/cli/deploy/options.ts";
import { silentProgress } from "../../src/cli/deploy/progress.ts";
import { createProgram } from "../../src/cli/program.ts";

const [moment, name, ...args] = process.argv.slice(2) as [string, string, ...string[]];
let own = false;
const dieAt = (here: string) => (phase: { name: string }) => {
  if (own && here === moment && phase.name === name) process.kill(process.pid, "SIGKILL");
};
const watch = {
  ...silentProgress,
  // a plan that begins with `clean` is this deploy's own; others end what a killed one began
  plan: (phases: readonly { name: string }[]) => {
    own = phases[0]?.name === "clean";
  },
  begin: dieAt("begin"),
  end: dieAt("end"),
  note: (text: string) => console.log(text),
};

const program = createProgram();
const deploy = program.commands.find((command) => command.name() === "deploy")!;
deploy.action(async (flags: DeployFlags) => {
  process.exitCode = await runDeploy(flags, deploy, watch);
});
await program.parseAsync(args, { from: "user" });
