import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Address, Config } from "../config/config.ts";
import { diffForReload } from "../config/reload.ts";
import type { Logger } from "../log.ts";
import type { Inheritance, Service } from "../service.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { VERSION } from "../version.ts";
import { Crew } from "./crew.ts";
import { listWorkers, makeFolder, workersFolder } from "./folder.ts";
import { HeldSignals } from "./held-signals.ts";
import type { Link } from "./link.ts";

/** How many data-plane processes a configuration asks for. */
export const workerCount = ({ workers }: Config): number =>
  workers === "auto" ? availableParallelism() : workers;

/** True where the data plane is to be processes: several are wanted, or an earlier router left some that serve. */
export function needsWorkers(config: Config, folder?: string): boolean {
  if (workerCount(config) > 1 || folder !== undefined) return true;
  return config.state !== undefined && listWorkers(workersFolder(config.state)).length > 0;
}

export interface WorkerServiceOptions {
  /** A listening socket that this process has, for the first workers. Default: it is opened. */
  readonly socket?: number | undefined;
  /** This process keeps that socket, because it comes from a supervisor, which does so too. */
  readonly keepSocket?: boolean;
  /** Where an earlier router's workers are. Default: in the state folder, or in none. */
  readonly folder?: string | undefined;
}

/** The data plane as processes of its own, which outlive this one. */
export class WorkerService implements Service {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #folder: string;
  readonly #crew: Crew;
  readonly #options: WorkerServiceOptions;
  #address: Address | undefined;
  /** Somebody else may take the workers back. */
  #shared: boolean;
  #held: HeldSignals | undefined;

  constructor(config: Config, log: Logger, options: WorkerServiceOptions = {}) {
    this.#config = config;
    this.#log = log;
    this.#options = options;
    this.#shared = options.folder !== undefined;
    this.#folder = options.folder ?? folderOf(config);
    this.#crew = new Crew(config, this.#folder, log, options.socket);
  }

  get channel() {
    return this.#crew.channel;
  }

  get connections(): number {
    return this.#crew.members.reduce((sum, { report }) => sum + (report?.connections ?? 0), 0);
  }

  async adopt(): Promise<void> {
    this.#held = new HeldSignals();
    makeFolder(this.#folder);
    const found = await this.#crew.find();
    if (found.length === 0) return;
    const about = { workers: found.map(({ id }) => id), pids: found.map(({ pid }) => pid) };
    this.#log.info(about, "Found workers that an earlier router left serving.");
  }

  /** Those that were found stay if they serve as this configuration wants. */
  async listen(): Promise<Address> {
    const count = workerCount(this.#config);
    const fit = this.#crew.members.filter((link) => fits(link, this.#config));
    this.#address = await this.#crew.begin(count, new Set(fit.slice(0, count)));
    if (!this.#options.keepSocket) this.#crew.dropSocket();
    this.#held?.release();
    return this.#address;
  }

  get inheritance(): Inheritance {
    const { members, socket } = this.#crew;
    const ids = members.map(({ id }) => id);
    const reports = members.flatMap(({ report }) => report ?? []);
    return { socket, workers: { folder: this.#folder, ids, reports } };
  }

  give(): Promise<void> {
    this.#shared = true;
    return this.#crew.suspend();
  }

  async takeBack(): Promise<void> {
    await this.#crew.resume();
    this.#shared = false;
  }

  settle(): void {
    this.#shared = false;
    this.#crew.settle();
  }

  unready(): string | undefined {
    if (!this.#address) return "The workers do not listen yet.";
    const serving = this.#crew.members.some(({ report, leaving }) => report !== undefined && !leaving);
    return serving ? undefined : "No worker is there: all have ended and are being replaced.";
  }

  equip(material: TlsMaterial): void {
    this.#crew.equip(material);
  }

  configure(config: Config): void {
    this.#crew.configure(config);
  }

  drain(deadline: number): Promise<number> {
    return this.#crew.drain(deadline);
  }

  async end(): Promise<void> {
    this.#held?.drop();
    await this.#crew.end();
    if (this.#config.state === undefined && !this.#shared)
      rmSync(this.#folder, { recursive: true, force: true });
  }
}

function folderOf({ state }: Config): string {
  return state === undefined ? join(tmpdir(), `sluice-${randomUUID()}`) : workersFolder(state);
}

/** What a worker cannot change while it serves has to be as it is wanted. */
function fits({ hello: { version, config } }: Link, wanted: Config): boolean {
  if (version !== VERSION || config === undefined) return false;
  const { restart } = diffForReload(config, wanted);
  return !restart.some((key) => ["listen", "tls", "engine", "colors"].includes(key));
}
