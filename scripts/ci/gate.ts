// The quality gate of the pipelines: the newest trained model against the one in service, on the data that this checkout
// trains on. What is in service is the API image that the last successful deploy tagged. `npm run ci:gate`
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PipelineProblem, script, summarize } from "./github.ts";
import { imageNames, parseReference } from "./images-of.ts";
import { candidateOf } from "./models.ts";
import { run } from "./run.ts";

const STABLE = "var/stable/model.json";
const VERDICT = "var/gate.json";
/** Where Dockerfile.api puts the model. */
const MODEL_IN_IMAGE = "/app/model.json";

await script(async () => {
  const candidate = candidateOf("artifacts");
  const image = `${imageNames().api}:${process.env.SLUICE_IN_SERVICE || "production"}`;
  parseReference(image, "The image in service");
  const stable = (await fetchModel(image)) ? ["--stable", STABLE] : [];
  const csv = ["data/uber.csv", "data/sample.csv"].find((path) => existsSync(path)) ?? "data/sample.csv";
  const args = ["training/src/cli/gate.ts", "--candidate", candidate.path, ...stable, "--csv", csv];
  const { status, stdout, stderr } = await run(process.execPath, args);
  if (status > 1 || stdout === "") throw new PipelineProblem(`The gate gave no verdict: ${stderr.trim()}`);
  writeFileSync(VERDICT, stdout);
  const { reason, rmse_change_95: interval } = JSON.parse(stdout);
  summarize(
    [
      "### Quality gate",
      "",
      `${status === 0 ? "✅" : "❌"} ${reason}`,
      ...(interval
        ? ["", `With 95 % confidence the RMSE changes by ${percent(interval[0])} to ${percent(interval[1])}.`]
        : []),
      "",
      stable.length > 0
        ? `In service: \`${image}\`.`
        : `Nothing is in service: there is no \`${image}\` yet.`,
    ].join("\n"),
  );
  return status;
});

function percent(share: number): string {
  return `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(2)} %`;
}

/** Copies the model out of an image; false if there is no such image. @throws PipelineProblem if that cannot be told. */
async function fetchModel(image: string): Promise<boolean> {
  mkdirSync(dirname(STABLE), { recursive: true });
  const pulled = await run("docker", ["pull", "--quiet", image]);
  if (pulled.status !== 0) {
    if (isAbsent(pulled.stderr)) return false;
    throw new PipelineProblem(
      `${image} cannot be pulled, so what is in service is unknown and nothing ships (${lastLine(pulled.stderr)}). ` +
        "If nothing was ever released, set the variable SLUICE_FIRST_RELEASE to true, and remove it afterwards.",
    );
  }
  // A container that is only made, never started, needs a command, but not one that exists.
  const made = await run("docker", ["create", image, "none"]);
  const container = made.stdout.trim();
  if (made.status !== 0) throw new PipelineProblem(`${image} cannot be opened: ${lastLine(made.stderr)}.`);
  const copied = await run("docker", ["cp", `${container}:${MODEL_IN_IMAGE}`, STABLE]);
  await run("docker", ["rm", container]);
  if (copied.status === 0) return true;
  throw new PipelineProblem(`${image} has no ${MODEL_IN_IMAGE}: ${lastLine(copied.stderr)}.`);
}

/** A registry that denies may only be hiding that there is nothing; whoever releases first has to say so. */
function isAbsent(message: string): boolean {
  if (/not found|manifest unknown|name unknown/i.test(message)) return true;
  return process.env.SLUICE_FIRST_RELEASE === "true" && /denied|forbidden|unauthorized/i.test(message);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
