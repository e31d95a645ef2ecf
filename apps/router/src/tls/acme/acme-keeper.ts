import type { AcmeConfig } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import type { KeeperOptions } from "../keeper.ts";
import { day, invalidity } from "../load-pair.ts";
import { order, reasonOf } from "./order.ts";
import { AcmeStore, type Issued } from "./store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Certificates are renewed that long before their end, or with a third of their life left, whichever is later. */
const EARLY = 30 * 24 * HOUR;
/** A timer may be late, and the machine's clock set: what is due is looked at that often. */
const LOOK = HOUR;
/** Between an order that failed and the next: doubled each time. Let's Encrypt bears five failures an hour. */
const FIRST_WAIT = 5 * MINUTE;
const LONGEST_WAIT = 12 * HOUR;

export interface AcmeOptions {
  readonly config: AcmeConfig;
  /** The state folder. */
  readonly state: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: KeeperOptions["log"];
  readonly challenges: Map<string, string>;
  /** Called with everything that was issued whenever that changes. */
  readonly onIssued: (issued: readonly Issued[]) => void;
}

interface Host {
  readonly name: string;
  issued: Issued | undefined;
  failures: number;
  /** When it is to be ordered, in milliseconds since 1970. */
  due: number;
}

/**
 * Has certificates from an ACME authority, and renews them in time. Only the router that has the state folder does so, one
 * order after another; whatever the authority does, what was issued before stays in service.
 */
export class AcmeKeeper {
  readonly orders = { success: 0, failure: 0 };
  readonly #options: AcmeOptions;
  readonly #store: AcmeStore;
  readonly #hosts: Host[];
  #cancel: () => void = () => {};
  #isHeld = true;
  /** How often it was held: an order that began before then is nobody's any more. */
  #holds = 0;
  #running: Promise<void> = Promise.resolve();

  /** Reads what is there. One that is damaged is ordered anew. */
  constructor(options: AcmeOptions) {
    const { config, state, clock } = options;
    this.#options = options;
    this.#store = new AcmeStore(state, config.directory);
    this.#hosts = config.domains.map((name) => {
      const issued = this.#read(name);
      return { name, issued, failures: 0, due: issued ? this.#dueFor(issued) : clock.now() };
    });
  }

  get issued(): Issued[] {
    return this.#hosts.flatMap(({ issued }) => issued ?? []);
  }

  /** Begins to order what is due, or goes on. */
  start(): void {
    this.#isHeld = false;
    this.#running = this.#running.then(() => this.#run());
  }

  /** Begins no order any more, and saves nothing: another router has the state folder. */
  hold(): void {
    this.#isHeld = true;
    this.#holds++;
    this.#cancel();
  }

  #read(name: string): Issued | undefined {
    try {
      return this.#store.read(name);
    } catch (error) {
      this.#options.log.warn({ domain: name }, `tls.acme: ${(error as Error).message} Another is ordered.`);
      return undefined;
    }
  }

  /** Spread at random over a fiftieth of its life, so that many routers do not ask in the same minute. */
  #dueFor({ notBefore, notAfter }: Issued): number {
    const life = notAfter - notBefore;
    return notAfter - Math.min(EARLY, life / 3) - this.#options.random() * (life / 50);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    for (const host of this.#hosts) {
      if (this.#isHeld) return;
      if (host.due <= clock.now()) await this.#order(host);
    }
    if (this.#isHeld) return;
    const next = Math.min(...this.#hosts.map(({ due }) => due)) - clock.now();
    this.#cancel();
    this.#cancel = clock.after(Math.min(Math.max(next, 1000), LOOK), () => this.start());
  }

  async #order(host: Host): Promise<void> {
    const { config, challenges, clock, log } = this.#options;
    const { name } = host;
    const holds = this.#holds;
    const isOver = () => this.#holds !== holds;
    try {
      const options = { config, store: this.#store, challenges, isOver };
      const issued = await order(name, options);
      const why = invalidity(issued, clock.now());
      if (why !== undefined) throw new Error(`what the authority has issued ${why}`);
      this.#taken(host, issued);
    } catch (error) {
      if (isOver()) return;
      this.orders.failure++;
      const wait = this.#waitAfter(host.failures++);
      host.due = clock.now() + wait;
      const state = host.issued ? `serves on until ${day(host.issued.notAfter)}` : "is missing";
      const again = `is tried again in ${Math.round(wait / MINUTE)} min`;
      log.error(
        { domain: name },
        `tls.acme: the certificate for ${name} ${state} and ${again}: ${reasonOf(error)}`,
      );
    }
  }

  #taken(host: Host, issued: Issued): void {
    this.orders.success++;
    host.issued = issued;
    host.failures = 0;
    host.due = this.#dueFor(issued);
    const about = {
      domain: host.name,
      not_after: new Date(issued.notAfter).toISOString(),
      serial: issued.serial,
    };
    this.#options.log.info(
      about,
      `tls.acme: a certificate for ${host.name} was issued, valid until ${day(issued.notAfter)}.`,
    );
    this.#options.onIssued(this.issued);
  }

  #waitAfter(failures: number): number {
    const longest = Math.min(FIRST_WAIT * 2 ** failures, LONGEST_WAIT);
    return longest * (0.75 + 0.25 * this.#options.random());
  }
}
