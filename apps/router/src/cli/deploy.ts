import type { Command } from "commander";
import type { DeployFlags } from "./deploy/options.ts";

export function addDeploy(program: Command): void {
  program
    .command("deploy")
    .summary("ship a version: start, check, switch, verify, drain; all or nothing")
    .description(
      "Deploys an image (by Compose) or an artifact (as a local process) to the idle color, and moves all requests there once it has proved good. Whatever fails, the old version goes on serving, or serves again; exit 1.",
    )
    .option("--image <ref>", "the image, for the color's Compose service")
    .option("--artifact <file>", "a model.json, for a process on the port of the color's target")
    .option(
      "--expect-digest <digest>",
      "sha256:… that the model must have (default: the image's label or the artifact's own)",
    )
    .option("--expect-version <version>", "version that the model must have")
    .option("--color <color>", "the color to deploy to (default: the idle one)")
    .option("--steps <percentages>", "switch in steps, such as 5,25,50,100 (default: at once)")
    .option("--step-for <duration>", "how long each step is watched", "60s")
    .option("--rollout [plan]", "switch by a rollout, which judges itself; its plan is YAML or JSON")
    .option(
      "--keep-old <duration>",
      "keep the old version running for so long (default: stop it once it is drained)",
    )
    .option(
      "--timeout <duration>",
      "how long the new version may take to get ready, and then to get warm",
      "60s",
    )
    .option("--drain-timeout <duration>", "how long the old version's requests may take to end", "30s")
    .option(
      "--warm-p95 <duration>",
      "below this the 95th percentile of warm-up predictions must come",
      "250ms",
    )
    .option("--requests <number>", "how many are sent through the router to verify it from outside", "20")
    .option("--url <url>", "the router's address for clients (env SLUICE_URL, default http://127.0.0.1:8080)")
    .option("--reason <text>", "why, for the router's history (default: what is deployed)")
    .option(
      "--folder <folder>",
      "where journal, record and logs are (env SLUICE_DEPLOY_FOLDER, default var/deploy)",
    )
    .option("--file <file>", "with --image: the Compose file", "compose.yaml")
    .option("--service <pattern>", "with --image: the color's service", "api-{color}")
    .option("--pull <when>", "with --image: missing, always or never", "missing")
    .option("--port <port>", "with --artifact: listen there, and tell the router")
    .option("--server <script>", "with --artifact: what serves it (default: this project's model API)")
    .option("--dry-run", "say what would be done, and change nothing")
    .addHelpText(
      "after",
      `
Examples:
  $ sluice deploy --image ghcr.io/you/sluice-api:1.0.1 --keep-old 10m
  $ sluice deploy --artifact artifacts/1.0.1/model.json
  $ sluice deploy --image sluice-api:1.0.1 --steps 5,25,50,100 --step-for 2m
  $ sluice deploy --image sluice-api:1.0.1 --rollout release.yaml
  $ sluice deploy --image sluice-api:1.0.1 --dry-run`,
    )
    .action(async (flags: DeployFlags, self: Command) => {
      const { runDeploy } = await import("./deploy/command.ts");
      process.exit(await runDeploy(flags, self));
    });
  addKeep(program);
  addStopOld(program);
}

/** The process that outlives a deploy and keeps a color's processes. */
function addKeep(program: Command): void {
  program
    .command("keep <color> <id>", { hidden: true })
    .requiredOption("--folder <folder>")
    .action(async (color: string, id: string, { folder }: { folder: string }) => {
      const { keep } = await import("./deploy/local/keeper.ts");
      process.exit(await keep(folder, color, id));
    });
}

export interface StopOldFlags {
  readonly folder: string;
  readonly after: string;
  readonly kind: string;
  readonly file: string;
  readonly service: string;
}

/** The process that a deploy with `--keep-old` leaves behind. */
function addStopOld(program: Command): void {
  program
    .command("stop-old <color> <id>", { hidden: true })
    .requiredOption("--folder <folder>")
    .requiredOption("--after <duration>")
    .option("--kind <kind>", "artifact or image", "artifact")
    .option("--file <file>", "the Compose file", "compose.yaml")
    .option("--service <pattern>", "the color's service", "api-{color}")
    .action(async (color: string, id: string, flags: StopOldFlags, self: Command) => {
      const { runStopOld } = await import("./deploy/command.ts");
      process.exit(await runStopOld(color, id, flags, self));
    });
}
