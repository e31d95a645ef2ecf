import { formatAddress } from "../config/address.ts";
import type { Address, Config } from "../config/config.ts";
import { StartError } from "../control/start-error.ts";
import type { Logger } from "../log.ts";
import { listWorkers } from "./folder.ts";
import { hireFirst, hireThrough } from "./hire.ts";
import { Link, type LinkEvents, TICK } from "./link.ts";
import { Restarts } from "./restarts.ts";
import { WorkerChannel } from "./worker-channel.ts";

/** What a worker may take on top of the time to drain before it is ended, in milliseconds. */
const GRACE = 2000;
/** Milliseconds that a worker may take to report when it is found. */
const FIRST_REPORT = 1000;

/** The workers that there are: finds, starts, watches and replaces them, and sends them home. */
export class Crew {
  readonly channel: WorkerChannel;
  readonly #links = new Map<number, Link>();
  readonly #folder: string;
  readonly #log: Logger;
  readonly #restarts = new Restarts();
  readonly #events: LinkEvents;
  readonly #delays = new Set<NodeJS.Timeout>();
  #config: Config;
  /** Where the workers serve; undefined until they do. */
  #address: Address | undefined;
  #nextId = 1;
  #begun = false;
  #ending = false;
  #hiring: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(config: Config, folder: string, log: Logger) {
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
   * Starts what is missing of `count` workers, and sends home those of the found that are not to stay. From now on
   * workers that end are replaced.
   * @throws StartError
   */
  async begin(count: number, stay: ReadonlySet<Link>): Promise<Address> {
    const outgoing = this.members.filter((link) => !stay.has(link));
    for (const link of stay) link.configure(this.#config);
    this.channel.open();
    this.#timer = setInterval(() => this.#watch(), TICK);
    const ids = Array.from({ length: count - stay.size }, () => this.#nextId++);
    if (ids.length > 0) await this.#hire(ids);
    await Promise.all(this.members.map((link) => link.listening()));
    const address = this.members.find((link) => link.report && !outgoing.includes(link))?.address;
    if (!address) throw new StartError("No worker could be started; its own messages say why.");
    this.#address = address;
    for (const link of outgoing) link.drain(this.#config.timeouts.drain);
    this.#begun = true;
    const missing = count - this.members.filter(({ leaving }) => !leaving).length;
    for (let i = 0; i < missing; i++) this.#replace(this.#restarts.delay(0));
    return address;
  }

  /** Where to listen and what carries requests stay as they are until a restart. */
  configure(config: Config): void {
    const { listen, engine } = this.#config;
    this.#config = { ...config, listen, engine };
    for (const link of this.members) link.configure(this.#config);
  }

  /** Resolves once all have ended, with the number of connections that were cut. */
  async drain(deadline: number): Promise<number> {
    this.#ending = true;
    for (const delay of this.#delays) clearTimeout(delay);
    await this.#hiring;
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
    this.#ending = true;
    clearInterval(this.#timer);
    for (const delay of this.#delays) clearTimeout(delay);
    for (const link of this.members) {
      if (!this.#begun && link.hello.address) link.release();
      else link.kill();
    }
    await this.#hiring;
  }

  /** One that can start others on the listening socket. */
  #holder(): Link | undefined {
    const wanted = formatAddress(this.#config.listen);
    return this.members.find(
      ({ leaving, report, config }) =>
        !leaving && report && config && formatAddress(config.listen) === wanted,
    );
  }

  async #hire(ids: readonly number[]): Promise<void> {
    const holder = this.#holder();
    const pids = holder
      ? await hireThrough(holder, ids)
      : await hireFirst(this.#address ?? this.#config.listen, ids, this.#folder);
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
    link.configure(this.#config);
    this.channel.welcome(link);
  }

  /** One replacement after another, so that the second finds the first's listening socket. */
  #replace(delay: number): void {
    const timer = setTimeout(() => {
      this.#delays.delete(timer);
      this.#hiring = this.#hiring.then(() => this.#hireOne());
    }, delay);
    this.#delays.add(timer);
  }

  async #hireOne(): Promise<void> {
    if (this.#ending) return;
    const id = this.#nextId++;
    await this.#hire([id]).catch((error: Error) => {
      this.#log.error({ worker: id, reason: error.message }, "A worker could not be started.");
    });
    const serves = await this.#links.get(id)?.listening();
    if (serves) this.#log.info({ worker: id, pid: this.#links.get(id)?.pid }, "A worker serves.");
    else if (!this.#ending && serves === undefined) this.#replace(this.#restarts.delay(0));
  }

  #closed(link: Link): void {
    if (this.#links.get(link.id) !== link) return;
    this.#links.delete(link.id);
    if (link.leaving || this.#ending || !this.#begun) return;
    const about = { worker: link.id, pid: link.pid };
    this.#log.warn(about, "A worker has ended; another takes its place.");
    this.#replace(this.#restarts.delay(performance.now() - link.since));
  }

  #watch(): void {
    for (const link of this.members) {
      if (!link.tick(this.channel.epoch)) continue;
      this.#log.error({ worker: link.id, pid: link.pid }, "A worker has not answered for 5 s and is ended.");
      link.kill();
    }
  }
}
