import { type DefaultRenderer, Listr, type ListrTask, type SimpleRenderer } from "listr2";
import { print } from "../output.ts";
import type { PhaseTitle, Progress } from "./progress.ts";

interface Shown {
  title: string;
  output: string;
}

/** One phase of the list. What is said of it before the list gets there is kept until it does. */
class Row {
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #task: Shown | undefined;
  #note: string | undefined;
  #suffix = "";

  constructor() {
    this.#ended.promise.catch(() => {});
  }

  begin(): void {
    this.#begun.resolve();
  }

  note(text: string): void {
    this.#note = text;
    if (this.#task) this.#task.output = text;
  }

  end(milliseconds: number): void {
    this.#suffix = ` (${(milliseconds / 1000).toFixed(1)} s)`;
    this.#ended.resolve();
  }

  fail(message: string): void {
    this.#ended.reject(new Error(message));
  }

  /** Runs as a task of the list: begins and ends with the phase. */
  async show(task: Shown): Promise<void> {
    await Promise.race([this.#begun.promise, this.#ended.promise]);
    this.#task = task;
    if (this.#note !== undefined) task.output = this.#note;
    await this.#ended.promise;
    task.title += this.#suffix;
  }
}

/** A list of phases that changes in place: for a terminal. */
export function liveProgress(): Progress {
  let rows = new Map<string, Row>();
  let current: Row | undefined;
  let shown: Promise<unknown> = Promise.resolve();
  const finish = async () => {
    for (const row of rows.values()) row.fail("not reached");
    await shown;
  };
  return {
    plan(phases) {
      const before = finish();
      rows = new Map(phases.map(({ name }) => [name, new Row()]));
      const list = listOf(phases, rows);
      shown = before.then(() => list.run().catch(() => {})); // the runner tells what failed
    },
    begin({ name }) {
      current = rows.get(name);
      current?.begin();
    },
    note(text) {
      if (current) current.note(text);
      else print(text);
    },
    end: ({ name }, milliseconds) => rows.get(name)?.end(milliseconds),
    fail: ({ name }, message) => rows.get(name)?.fail(message),
    close: finish,
  };
}

function listOf(phases: readonly PhaseTitle[], rows: ReadonlyMap<string, Row>) {
  const tasks = phases.map<ListrTask<unknown, typeof DefaultRenderer, typeof SimpleRenderer>>(
    ({ name, title }) => ({
      title,
      task: (_, task) => rows.get(name)!.show(task),
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
