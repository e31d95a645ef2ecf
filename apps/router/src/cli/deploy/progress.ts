import { paint, print } from "../output.ts";
import type { PhaseName } from "./journal.ts";

export interface PhaseTitle {
  readonly name: PhaseName | "undo";
  readonly title: string;
}

/** Whoever watches a deploy. */
export interface Progress {
  /** The phases that will now be run, one after another. */
  plan(phases: readonly PhaseTitle[]): void;
  /** The next of them begins. What a deploy is about to do is on the disk by then. */
  begin(phase: PhaseTitle): void;
  /** A line about the phase that is running, or about the whole between two. */
  note(text: string): void;
  end(phase: PhaseTitle, milliseconds: number): void;
  fail(phase: PhaseTitle, message: string): void;
  /** No more is to come. Resolves once everything is shown. */
  close(): Promise<void>;
}

/** One line for each beginning and each end: for logs. */
export function plainProgress(): Progress {
  const line = (name: string, text: string) => print(`${name.padEnd(8)} ${text}`);
  let current = "";
  return {
    plan: () => {},
    begin({ name, title }) {
      current = name;
      line(name, title);
    },
    note: (text) => line(current, `- ${text}`),
    end: ({ name }, milliseconds) =>
      line(name, `${paint("green", "done")} in ${(milliseconds / 1000).toFixed(1)} s`),
    fail: ({ name }, message) => line(name, `${paint("red", "failed")}: ${message}`),
    close: async () => {},
  };
}

/** For `--json`, where only the end counts. */
export const silentProgress: Progress = {
  plan: () => {},
  begin: () => {},
  note: () => {},
  end: () => {},
  fail: () => {},
  close: async () => {},
};

/** Whether somebody looks on who can see a list change. */
export function isLive(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env.CI && !env.NO_COLOR && env.TERM !== "dumb";
}
