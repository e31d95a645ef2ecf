import type { Channel } from "../channel.ts";
import { type Upgraded, UpgradeError } from "../control/admin/upgrade.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import type { Logger } from "../log.ts";
import type { Service } from "../service.ts";
import type { Up } from "./messages.ts";
import type { Notifier } from "./notify.ts";
import { whyNoSuccessor } from "./refused.ts";
import { type OpenSockets, Successor } from "./successor.ts";

/** How often the successor hears of what this process still finishes, in milliseconds. */
const REPORT_INTERVAL = 250;
/** Milliseconds between two attempts to have the state folder back. */
const TRY_AGAIN = 1000;

/** What a router has to hand over. */
export interface Estate {
  readonly version: string;
  /** The state folder; undefined: none. */
  readonly state: string | undefined;
  readonly colors: readonly string[];
  readonly service: Service;
  readonly control: ControlPlane;
  /** Takes the successor's snapshots. */
  readonly channel: Channel;
  sockets(): OpenSockets;
  /** From now on, or no longer, clients of the admin API connect anew for every request. */
  leave(leaving: boolean): void;
  /** For the supervisor: what this router does. */
  readonly status: string;
}

/** Replaces this process by the program that is on the disk now, without closing a socket. One at a time. */
export class Upgrades {
  readonly #log: Logger;
  readonly #notifier: Notifier;
  readonly #done = Promise.withResolvers<void>();
  #estate: Estate | undefined;
  #running: Promise<Upgraded> | undefined;
  #cancel: (why: Error) => void = () => {};
  #over: string | undefined;
  #successor: Successor | undefined;
  #reporting: NodeJS.Timeout | undefined;

  constructor(log: Logger, notifier: Notifier) {
    this.#log = log;
    this.#notifier = notifier;
  }

  /** From now on there is something to hand over. */
  enable(estate: Estate): void {
    this.#estate = estate;
  }

  /** Resolves once a successor serves: this process is to finish what it has. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /**
   * @param timeout milliseconds until the new program has to serve
   * @throws UpgradeError nothing has changed
   */
  run(timeout: number): Promise<Upgraded> {
    const why = this.#refusal();
    if (why !== undefined) {
      this.#log.warn({}, why);
      return Promise.reject(new UpgradeError("refused", why));
    }
    this.#running = this.#run(this.#estate!, timeout).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** For a router that was told to end: gives up what is under way, and refuses what comes. */
  async cancel(): Promise<void> {
    this.#over = "An upgrade is refused: this router is stopping.";
    this.#cancel(new Error("this router was told to stop."));
    await this.#running?.catch(() => {});
  }

  /** After {@link done}: tells the successor what was counted last, and lets go of it. */
  async farewell(): Promise<void> {
    clearInterval(this.#reporting);
    await this.#notifier.sent();
    await this.#report();
    this.#successor?.leave();
  }

  #refusal(): string | undefined {
    const never = whyNoSuccessor();
    if (never !== undefined) return never;
    if (this.#over !== undefined) return this.#over;
    if (this.isRunning) return "An upgrade is refused: another one is under way.";
    return this.#estate ? undefined : "An upgrade is refused: this router is still starting.";
  }

  async #run(estate: Estate, timeout: number): Promise<Upgraded> {
    this.#notifier.reloading("Upgrading");
    this.#log.info({}, "Upgrading: starting the program that is on the disk now.");
    const successor = Successor.start(estate.version, estate.sockets(), (message) => this.#take(message));
    this.#successor = successor;
    const handing = new Handing(estate, successor);
    const bound = this.#bound(timeout);
    try {
      const version = await Promise.race([
        handing.run(() => this.#beginReports()),
        successor.lost,
        bound.broken,
      ]);
      return await this.#succeeded(estate, successor, version);
    } catch (error) {
      await successor.kill();
      clearInterval(this.#reporting);
      this.#successor = undefined;
      await handing.undo(this.#log);
      return this.#failed(estate, error as Error);
    } finally {
      bound.clear();
    }
  }

  #bound(timeout: number) {
    const { promise: broken, reject } = Promise.withResolvers<never>();
    const late = () => reject(new Error(`the new program did not serve within ${timeout / 1000} s.`));
    const timer = setTimeout(late, timeout);
    this.#cancel = reject;
    broken.catch(() => {});
    return { broken, clear: () => clearTimeout(timer) };
  }

  async #succeeded(estate: Estate, successor: Successor, version: string): Promise<Upgraded> {
    this.#over = "An upgrade is refused: this router has a successor already.";
    this.#notifier.mainPid(successor.pid);
    await this.#notifier.sent();
    await successor.send({ kind: "go" });
    const [from, to] = [
      { version: estate.version, pid: process.pid },
      { version, pid: successor.pid },
    ];
    this.#log.info({ from, to }, "The new program serves; this one finishes what it has.");
    this.#done.resolve();
    return { from, to };
  }

  #failed(estate: Estate, error: Error): never {
    this.#notifier.ready(estate.status);
    const message = `The upgrade failed, and this router goes on as before: ${error.message}`;
    this.#log.error({}, message);
    throw new UpgradeError("failed", message);
  }

  #take(message: Up): void {
    if (message.kind === "snapshot") this.#estate?.channel.publish(message.snapshot);
    else if (message.kind === "collect") void this.#report(message.question);
  }

  #beginReports(): void {
    this.#reporting = setInterval(() => void this.#report(), REPORT_INTERVAL);
  }

  async #report(question?: number): Promise<void> {
    if (!this.#estate) return;
    const report = await summary(this.#estate);
    await this.#successor?.send({ kind: "report", report, ...(question === undefined ? {} : { question }) });
  }
}

const summary = ({ control, service }: Estate) => control.summary(service.inheritance.workers?.ids ?? []);

/** One handing over: what was let go of, so that it can be taken back. */
class Handing {
  readonly #estate: Estate;
  readonly #successor: Successor;
  #giving: Promise<unknown> | undefined;
  #undone = false;

  constructor(estate: Estate, successor: Successor) {
    this.#estate = estate;
    this.#successor = successor;
  }

  /** Resolves with the new program's version once it serves. */
  async run(onGiven: () => void): Promise<string> {
    const [ready, serves] = [this.#successor.next("ready"), this.#successor.next("serves")];
    const { version, state } = await ready;
    if (state !== this.#estate.state)
      throw new Error("state: the configuration names another folder, which only a restart can change.");
    if (this.#undone) return version;
    const giving = this.#give();
    this.#giving = giving;
    const handed = await giving;
    await this.#successor.send({ kind: "handed", handed });
    onGiven();
    await serves;
    return version;
  }

  async #give() {
    const { service, control, colors, leave } = this.#estate;
    leave(true);
    const handed = await control.give();
    await service.give();
    const { workers } = service.inheritance;
    const report = await summary(this.#estate);
    const workerReports = workers?.reports.map(({ served: _, ...sums }) => sums) ?? [];
    return { control: handed, workers: workers?.folder, colors, report, workerReports };
  }

  /** Has everything again that was given. */
  async undo(log: Logger): Promise<void> {
    this.#undone = true;
    if (this.#giving === undefined) return;
    await this.#giving.catch(() => {});
    const { service, control, leave } = this.#estate;
    await service.takeBack();
    leave(false);
    for (;;) {
      try {
        return await control.takeBack();
      } catch (error) {
        log.error({ reason: (error as Error).message }, "The state folder could not be taken back yet.");
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
      }
    }
  }
}
