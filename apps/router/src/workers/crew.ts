import { closeSync } from "node:fs";
import { formatAddress } from "../config/address.ts";
import type { Address, Config } from "../config/config.ts";
import { keepTls } from "../config/reload.ts";
import { StartError } from "../control/start-error.ts";
import type { Logger } from "../log.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { listWorkers } from "./folder.ts";
import { hireFirst, hireThrough, type Origin } from "./hire.ts";
import { Link, type LinkEvents, TICK } from "./link.ts";
import { Replacements } from "./replacements.ts";
import { WorkerChannel } from "./worker-channel.ts";

/** What a worker may take on top of the time to drain before it is ended, in milliseconds. */
const GRACE = 2000;
/** Milliseconds that workers wait for the other control plane while one hands them to another. */
const PATIENCE = 10_000;
/** Milliseconds that a worker may take to report when it is found. */
const FIRST_REPORT = 1000;

/** The workers that there are: finds, starts, watches and replaces them, and sends them home. */
export class Crew {
  readonly channel: WorkerChannel;
  readonly #links = new Map<number, Link>();
  readonly #folder: string;
  readonly #log: Logger;
  readonly #replacements = new Replacements(() => this.#hireOne());
  readonly #events: LinkEvents;
  #config: Config;
  #material: TlsMaterial | undefined;
  /** Where the workers serve; undefined until they do. */
  #address: Address | undefined;
  #socket: number | undefined;
  #outgoing: readonly Link[] = [];
  #nextId = 1;
  #begun = false;
  #suspended = false;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param socket a listening socket that this process has, for the first workers. Default: it is opened */
  constructor(config: Config, folder: string, log: Logger, socket?: number) {
    this.#socket = socket;
    this.#config = config;
    this.#folder = folder;
    this.#log = log;
    this.channel = new WorkerChannel(this.#links);
    this.#events = {
      onReport: (report, link) => this.channel.noted(report, link),
      onAccess: (lines) => {
        for (const line of lines) log.info(line, "request");
      },
      onClosed: (link) => this.#closed(link),
    };
  }

  get members(): Link[] {
    return [...this.#links.values()];
  }

  /** A listening socket that this process has itself. */
  get socket(): number | undefined {
    return this.#socket;
  }

  /** Connects to the workers that an earlier router left. */
  async find(): Promise<readonly Link[]> {
    const names = listWorkers(this.#folder);
    this.#nextId = Math.max(0, ...names.map(({ id }) => id)) + 1;
    const links = await Promise.all(names.map((name) => Link.open(this.#folder, name, this.#events)));
    for (const link of links) if (link && !link.gone) this.#links.set(link.id, link);
    await Promise.all(this.members.map((link) => link.collect(FIRST_REPORT)));
    return this.members;
  }

  /**
   * Starts what is missing of `count` workers. From now on workers that end are replaced. Those of the found that are
   * not to stay serve until {@link settle}.
   * @throws StartError
   */
  async begin(count: number, stay: ReadonlySet<Link>): Promise<Address> {
    const outgoing = this.members.filter((link) => !stay.has(link));
    this.#outgoing = outgoing;
    for (const link of stay) this.#equip(link);
    this.channel.open();
    this.#timer = setInterval(() => this.#watch(), TICK);
    const ids = Array.from({ length: count - stay.size }, () => this.#nextId++);
    if (ids.length > 0) await this.#hire(ids);
    await Promise.all(this.members.map((link) => link.listening()));
    const address = this.members.find((link) => link.report && !outgoing.includes(link))?.address;
    if (!address) throw new StartError("No worker could be started; its own messages say why.");
    this.#address = address;
    this.#begun = true;
    this.#replaceMissing(count);
    return address;
  }

  /** Sends home those of the found that have successors, and forgets that somebody else may want the others back. */
  settle(): void {
    for (const link of this.#outgoing) link.drain(this.#config.timeouts.drain);
    for (const link of this.members) link.send({ kind: "patience", milliseconds: 0 });
    this.#outgoing = [];
  }

  /** Lets go of all workers, which wait for another control plane. */
  async suspend(): Promise<void> {
    this.#suspended = true;
    clearInterval(this.#timer);
    await this.#replacements.stop();
    await Promise.all(this.members.map((link) => link.collect(FIRST_REPORT)));
    this.channel.suspend();
    for (const link of this.members) link.send({ kind: "patience", milliseconds: PATIENCE });
    await Promise.all(this.members.map((link) => link.letGo()));
  }

  /** After {@link suspend}: has the workers again, and sends home those that somebody else has started meanwhile. */
  async resume(): Promise<void> {
    const before = new Set(this.#links.keys());
    const count = this.members.filter(({ leaving }) => !leaving).length;
    this.#links.clear();
    this.#suspended = false;
    await this.find();
    for (const link of this.members) {
      if (before.has(link.id)) this.#equip(link);
      else link.drain(this.#config.timeouts.drain);
    }
    this.channel.resume();
    this.settle();
    this.#timer = setInterval(() => this.#watch(), TICK);
    this.#replaceMissing(count);
  }

  #replaceMissing(count: number): void {
    const missing = count - this.members.filter((link) => !link.leaving && !this.#isOutgoing(link)).length;
    for (let i = 0; i < missing; i++) this.#replacements.add();
  }

  readonly #isOutgoing = (link: Link): boolean => this.#outgoing.includes(link);

  /** Hands certificates and keys to those that there are, and to those that come. */
  equip(material: TlsMaterial): void {
    this.#material = material;
    if (this.#begun) for (const link of this.members) link.send({ kind: "tls", material });
  }

  /** Where to listen and what carries requests stay as they are until a restart. */
  configure(config: Config): void {
    const { listen, engine } = this.#config;
    this.#config = { ...keepTls(this.#config, config), listen, engine };
    for (const link of this.members) link.configure(this.#config);
  }

  /** Resolves once all have ended, with the number of connections that were cut. */
  async drain(deadline: number): Promise<number> {
    if (this.#suspended) return 0;
    this.#ending = true;
    await this.#replacements.stop();
    const links = this.members;
    for (const link of links) link.drain(deadline);
    const late = setTimeout(() => {
      for (const link of this.members) link.kill();
    }, deadline + GRACE);
    await Promise.all(links.map(({ closed }) => closed));
    clearTimeout(late);
    return links.reduce((sum, { cut }) => sum + cut, 0);
  }

  /** At once. Before the crew had begun, those that were found serve on. */
  async end(): Promise<void> {
    if (this.#suspended) return;
    this.#ending = true;
    clearInterval(this.#timer);
    const stopped = this.#replacements.stop();
    for (const link of this.members) {
      if (!this.#begun && link.hello.address) link.release();
      else link.kill();
    }
    await stopped;
  }

  /** One that can start others on the listening socket. */
  #holder(): Link | undefined {
    const wanted = formatAddress(this.#config.listen);
    return this.members.find(
      ({ leaving, report, config }) =>
        !leaving && report && config && formatAddress(config.listen) === wanted,
    );
  }

  get #origin(): Origin {
    if (this.#socket !== undefined) return { fd: this.#socket };
    return this.#address ?? this.#config.listen;
  }

  /** The first workers have the socket now, and this process needs it no more. */
  dropSocket(): void {
    if (this.#socket !== undefined) closeSync(this.#socket);
    this.#socket = undefined;
  }

  async #hire(ids: readonly number[]): Promise<void> {
    const holder = this.#holder();
    const pids = holder ? await hireThrough(holder, ids) : await hireFirst(this.#origin, ids, this.#folder);
    await Promise.all(ids.map((id, i) => this.#welcome(id, pids[i])));
  }

  async #welcome(id: number, pid: number | undefined): Promise<void> {
    const link = pid === undefined ? undefined : await Link.open(this.#folder, { id, pid }, this.#events);
    if (!link || link.gone) return;
    this.#links.set(id, link);
    if (this.#ending) {
      link.kill();
      return;
    }
    this.#equip(link);
    this.channel.welcome(link);
  }

  #equip(link: Link): void {
    link.configure(this.#config);
    if (this.#material) link.send({ kind: "tls", material: this.#material });
  }

  async #hireOne(): Promise<void> {
    if (this.#ending) return;
    const id = this.#nextId++;
    await this.#hire([id]).catch((error: Error) => {
      this.#log.error({ worker: id, reason: error.message }, "A worker could not be started.");
    });
    const serves = await this.#links.get(id)?.listening();
    if (serves) this.#log.info({ worker: id, pid: this.#links.get(id)?.pid }, "A worker serves.");
    else if (!this.#ending && serves === undefined) this.#replacements.add();
  }

  #closed(link: Link): void {
    if (this.#suspended || this.#links.get(link.id) !== link) return;
    this.#links.delete(link.id);
    if (link.leaving || this.#isOutgoing(link) || this.#ending || !this.#begun) return;
    const about = { worker: link.id, pid: link.pid };
    this.#log.warn(about, "A worker has ended; another takes its place.");
    this.#replacements.add(performance.now() - link.since);
  }

  #watch(): void {
    for (const link of this.members) {
      if (!link.tick(this.channel.epoch)) continue;
      this.#log.error({ worker: link.id, pid: link.pid }, "A worker has not answered for 5 s and is ended.");
      link.kill();
    }
  }
}
