import { appendFileSync } from "node:fs";

/** Something that whoever set up the pipeline can mend. The message is one sentence. */
export class PipelineProblem extends Error {
  override readonly name = "PipelineProblem";
}

/** Adds Markdown to the job's summary; outside of GitHub it goes to stdout. */
export function summarize(markdown: string): void {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, `${markdown}\n`);
  else process.stdout.write(`${markdown}\n`);
}

/** Sets outputs of the step; outside of GitHub they go to stdout. @throws PipelineProblem for a value of two lines */
export function setOutputs(outputs: Readonly<Record<string, string>>): void {
  const lines = Object.entries(outputs).map(([name, value]) => {
    if (/[\r\n]/.test(value))
      throw new PipelineProblem(`output ${name} has a line break: expected one line.`);
    return `${name}=${value}\n`;
  });
  const file = process.env.GITHUB_OUTPUT;
  if (file) appendFileSync(file, lines.join(""));
  else process.stdout.write(lines.join(""));
}

/** A variable that must be set. @throws PipelineProblem it is not, or it does not look as expected. */
export function need(name: string, expected: string, pattern = /\S/): string {
  const value = process.env[name] ?? "";
  if (pattern.test(value)) return value;
  const found = value === "" ? "is not set" : `is ${JSON.stringify(value)}`;
  throw new PipelineProblem(`${name} ${found}: expected ${expected}.`);
}

/** Runs a script: exit 2 and one sentence, also as GitHub's annotation, for what can be mended; else what `main` returns. */
export async function script(main: () => Promise<number> | number): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof PipelineProblem)) throw error;
    process.stderr.write(`${process.env.GITHUB_ACTIONS ? "::error::" : ""}${error.message}\n`);
    process.exitCode = 2;
  }
}
