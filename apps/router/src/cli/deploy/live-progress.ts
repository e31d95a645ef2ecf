import { type DefaultRenderer, Listr, type ListrTask, type SimpleRenderer } from "listr2";
import { print } from "../output.ts";
import type { PhaseTitle, Progress } from "./progress.ts";

interface Row {
  readonly begun: Promise<void>;
  readonly begin: () => void;
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** A list of phases that changes in place: for a terminal. */
export function liveProgress(): Progress {
  let rows = new Map<string, Row>();
  let task: { title: string; output: string } | undefined;
  let shown: Promise<unknown> = Promise.resolve();
  const finish = async () => {
    for (const row of rows.values()) row.fail(new Error("not reached"));
    await shown;
  };
  return {
    plan(phases) {
      const before = finish();
      rows = new Map(phases.map(({ name }) => [name, newRow()]));
      const mine = rows;
      const list = listOf(phases, mine, (current) => {
        task = current;
      });
      shown = before.then(() => list.run().catch(() => {})); // the runner tells what failed
    },
    begin: ({ name }) => rows.get(name)?.begin(),
    note(text) {
      if (task) task.output = text;
      else print(text);
    },
    end({ name }, milliseconds) {
      if (task) task.title += ` (${(milliseconds / 1000).toFixed(1)} s)`;
      rows.get(name)?.end();
    },
    fail: ({ name }, message) => rows.get(name)?.fail(new Error(message)),
    close: finish,
  };
}

/** Each task waits until the runner begins and ends its phase. */
function listOf(
  phases: readonly PhaseTitle[],
  rows: ReadonlyMap<string, Row>,
  onTask: (task: { title: string; output: string }) => void,
) {
  const tasks = phases.map<ListrTask<unknown, typeof DefaultRenderer, typeof SimpleRenderer>>(
    ({ name, title }) => ({
      title,
      task: async (_, task) => {
        const row = rows.get(name)!;
        await Promise.race([row.begun, row.ended]);
        onTask(task);
        await row.ended;
      },
      rendererOptions: { persistentOutput: true, outputBar: 3 },
    }),
  );
  return new Listr<unknown, "default", "simple">(tasks, {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false,
    rendererOptions: { collapseErrors: false, showErrorMessage: true },
  });
}

function newRow(): Row {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  return {
    begun: begun.promise,
    begin: begun.resolve,
    ended: ended.promise,
    end: ended.resolve,
    fail: ended.reject,
  };
}
