import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { CliError } from "../errors.ts";
import { print } from "../output.ts";
import { type ModelPlan, ROOT } from "./plan.ts";

/** Trains both models when one is missing. Its progress goes to the terminal. */
export async function trainIfNeeded(models: readonly ModelPlan[], signal: AbortSignal): Promise<void> {
  if (models.every(({ artifact }) => existsSync(artifact))) return;
  print(
    `Training the models ${models.map(({ version }) => version).join(" and ")}, because there are none yet …`,
  );
  const code = await runTraining(signal);
  signal.throwIfAborted();
  if (code !== 0) throw new CliError(`the training failed (exit code ${code}); what it said stands above.`);
  const missing = models.find(({ artifact }) => !existsSync(artifact));
  if (missing) throw new CliError(`the training ended without writing ${missing.artifact}.`);
}

function runTraining(signal: AbortSignal): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", ["run", "-s", "train"], {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", (error) =>
      reject(new CliError(`npm, which trains the models, cannot be run (${error.message}).`)),
    );
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve(code);
    });
  });
}
