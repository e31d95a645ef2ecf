import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, renameSync } from "node:fs";
import { CliError } from "../../errors.ts";
import { entryScript } from "../entry.ts";
import type { Slot } from "../slot.ts";
import { until } from "../until.ts";
import type { Version } from "../version.ts";
import { untilFree } from "./addresses.ts";
import { isAlive, send } from "./identity.ts";
import { KeepFiles } from "./keep-file.ts";

/** Milliseconds: the keeper gives its processes 40 s. */
const GENTLE_END = 45_000;
const HARD_END = 5_000;
/** Milliseconds in which a keeper has written that it is there. */
const PRESENT = 15_000;
/** Milliseconds that a port is waited for whose process is still finishing what it has. */
const PORT = 35_000;

/** A color whose versions are processes of this machine, kept by a keeper that outlives the deploy. */
export class LocalSlot implements Slot {
  readonly color: string;
  readonly #files: KeepFiles;
  #keeper: ChildProcess | undefined;

  constructor(folder: string, color: string) {
    this.color = color;
    this.#files = new KeepFiles(folder, color);
  }

  async running(): Promise<Version | undefined> {
    const presence = await this.#files.readPresence();
    return presence && isAlive(presence) ? presence.version : undefined;
  }

  /** True when a deploy started something here that has not been cleared away, whether it still lives or not. */
  async leftover(): Promise<boolean> {
    return (await this.#files.readPresence()) !== undefined || (await this.#files.readOrder()) !== undefined;
  }

  async clear(): Promise<void> {
    await this.#files.removeOrder(); // a keeper that is only starting ends by itself
    const presence = await this.#files.readPresence();
    if (presence && isAlive(presence)) {
      send(presence, "SIGTERM");
      const alive = async () => (isAlive(presence) ? undefined : true);
      const patient = { signal: new AbortController().signal, every: 20 };
      await until(alive, () => "", { ...patient, timeout: GENTLE_END }).catch(async () => {
        send(presence, "SIGKILL");
        const late = () => `${this.color} (process ${presence.pid}) does not end, even by SIGKILL.`;
        await until(alive, late, { ...patient, timeout: HARD_END });
      });
    }
    await this.#files.removePresence();
  }

  stop(): Promise<void> {
    return this.clear();
  }

  async start(version: Version, signal: AbortSignal): Promise<void> {
    this.#turnLog();
    await untilFree(this.color, version.targets, PORT);
    const { server, artifact } = version;
    for (const file of [server, artifact]) {
      if (!file || !existsSync(file))
        throw new CliError(`${file ?? "its file"}, which ${this.color} needs, is not there.`);
    }
    const id = randomUUID();
    await this.#files.writeOrder({ id, color: this.color, version });
    const keeper = this.#spawn(id);
    const present = async () => {
      if (keeper.exitCode !== null || keeper.signalCode !== null) throw this.#died(keeper);
      return (await this.#files.readPresence())?.id === id ? true : undefined;
    };
    await until(present, () => `the keeper of ${this.color} does not start within ${PRESENT / 1000} s.`, {
      signal,
      timeout: PRESENT,
      every: 20,
    });
  }

  async endpoints(): Promise<readonly string[]> {
    const version = await this.running();
    if (version) return version.targets;
    throw new CliError(`${this.color} does not run.`);
  }

  async sound(): Promise<boolean> {
    const keeper = this.#keeper;
    if (keeper && (keeper.exitCode !== null || keeper.signalCode !== null)) throw this.#died(keeper);
    if (await this.running()) return true;
    if (keeper) return false; // it is about to be seen how it ended
    throw new CliError(`${this.color} has ended.`);
  }

  async lastLines(count: number): Promise<readonly string[]> {
    try {
      return readFileSync(this.#files.log, "utf8").split("\n").filter(Boolean).slice(-count);
    } catch {
      return [];
    }
  }

  /** Each start has a log of its own, and the one before it is kept. */
  #turnLog(): void {
    if (existsSync(this.#files.log)) renameSync(this.#files.log, `${this.#files.log}.1`);
  }

  /** In a session of its own, and without the mark by which GitHub's runner ends what a job leaves behind. */
  #spawn(id: string): ChildProcess {
    const { RUNNER_TRACKING_ID: _, ...env } = process.env;
    const args = [entryScript(), "keep", "--folder", this.#files.folder, this.color, id];
    const errors = openSync(this.#files.log, "a", 0o600);
    const keeper = spawn(process.execPath, args, {
      detached: true,
      stdio: ["ignore", "ignore", errors],
      cwd: this.#files.folder,
      env,
    });
    closeSync(errors);
    keeper.on("error", () => {}); // seen by its exit code
    keeper.unref();
    this.#keeper = keeper;
    return keeper;
  }

  #died({ exitCode, signalCode }: ChildProcess): CliError {
    return new CliError(
      `${this.color} ended while it was starting (${signalCode ?? `exit code ${exitCode}`}).`,
    );
  }
}
