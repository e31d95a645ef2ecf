import { join } from "node:path";
import { CliError } from "../errors.ts";
import { print } from "../output.ts";
import type { UpOptions } from "../up.ts";
import { compactLine, head } from "./lines.ts";
import { type ModelPlan, makePlan, type Plan, ROOT } from "./plan.ts";
import { localUrl, untilReady } from "./ready.ts";
import { type Death, type Recipe, Supervised } from "./supervised.ts";
import { trainIfNeeded } from "./train.ts";
import { welcome } from "./welcome.ts";

/** Thrown where a signal ended the start; no failure. */
const STOPPED = new Error("stopped");

/** Milliseconds between two looks whether npm still lives. */
const PARENT_CHECK = 200;

/** Runs the demo until a signal; resolves with the exit code. @throws CliError when it cannot be started */
export async function runUp(options: UpOptions): Promise<number> {
  const demo = new Demo();
  demo.endOnSignals();
  try {
    await demo.start(await makePlan(options));
    await demo.stopped();
  } catch (error) {
    if (error !== STOPPED) throw error;
  } finally {
    await demo.stop();
  }
  return 0;
}

class Demo {
  /** Aborted with STOPPED by a signal, or with the error of a process that died while everything was starting. */
  readonly #end = new AbortController();
  #processes: Supervised[] = [];
  #running = false;

  endOnSignals(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (this.#end.signal.aborted) process.exit(signal === "SIGTERM" ? 143 : 130);
        this.#end.abort(STOPPED);
      });
    }
    this.#endWithNpm();
    process.on("exit", () => {
      for (const each of this.#processes) each.kill();
    });
  }

  /** npm passes SIGTERM on to its shell, which dies of it and tells nobody: then this process has another parent. */
  #endWithNpm(): void {
    if (process.env.npm_lifecycle_event === undefined) return;
    const npm = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === npm) return;
      clearInterval(timer);
      this.#end.abort(STOPPED);
    }, PARENT_CHECK);
    timer.unref();
  }

  async start(plan: Plan): Promise<void> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    await trainIfNeeded(plan.models, signal);
    for (const model of plan.models) this.#spawn(model.color, modelArgs(model), plan);
    await Promise.all(
      plan.models.map(({ color, address }) => untilReady(color, `${localUrl(address)}/health/ready`, signal)),
    );
    const command = [join(ROOT, "apps/router/bin/sluice.js"), "serve"];
    const file = ["--config", plan.configPath, "--relative-to", plan.relativeTo];
    this.#spawn("router", [...command, ...file], plan);
    await untilReady("the admin API", `${localUrl(plan.admin)}/readyz`, signal);
    await untilReady("the router", `${localUrl(plan.listen)}/health/ready`, signal);
    print(await welcome(plan, this.#processes));
    this.#running = true;
    for (const each of this.#processes) each.keepAlive();
  }

  /** Rejects with what ended the demo. */
  stopped(): Promise<never> {
    const { signal } = this.#end;
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** The router first, so that what it has in flight is still answered. */
  async stop(): Promise<void> {
    if (this.#running) print("\nStopping …");
    this.#running = false;
    const router = this.#processes.find(({ name }) => name === "router");
    await router?.stop();
    await Promise.all(this.#processes.map((each) => each.stop()));
    this.#processes = [];
  }

  #spawn(name: string, args: readonly string[], { folder }: Plan): void {
    const recipe: Recipe = { name, args, logFile: join(folder, "log", `${name}.log`) };
    const watcher = {
      onLine: (_: string, line: string) =>
        this.#say(compactLine(name, line, new Date(), name === "router" ? "info" : "warn")),
      onDeath: (_: string, death: Death) => this.#onDeath(recipe, death),
      onRestart: (_: string, pid: number | undefined) =>
        this.#say(head(name, new Date(), `runs again, pid ${pid}`)),
    };
    this.#processes.push(new Supervised(recipe, watcher));
  }

  #onDeath({ name, logFile }: Recipe, { how, lastLines, again }: Death): void {
    const last = lastLines.map((line) => compactLine(name, line, new Date()) ?? "").filter(Boolean);
    if (again === undefined) {
      const words = [`${name} died while it was starting (${how}); its log is ${logFile}.`, ...last].join(
        "\n  ",
      );
      this.#end.abort(new CliError(words));
      return;
    }
    this.#say(head(name, new Date(), `died (${how}); starting it again in ${again / 1000} s`));
    if (!/^SIG/.test(how)) for (const line of last) this.#say(`  ${line}`);
  }

  #say(line: string | undefined): void {
    if (this.#running && line !== undefined) print(line);
  }
}

function modelArgs({ color, artifact, address }: ModelPlan): string[] {
  const main = join(ROOT, "apps/model-api/src/main.ts");
  return [
    main,
    "--host",
    address.host,
    "--port",
    String(address.port),
    "--color",
    color,
    "--model",
    artifact,
  ];
}
