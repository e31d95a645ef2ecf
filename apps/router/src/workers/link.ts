import { connect, type Socket } from "node:net";
import { Answers } from "../answers.ts";
import type { Address, Config } from "../config/config.ts";
import type { Report } from "../core/report.ts";
import type { AccessLine } from "../proxy/access-line.ts";
import { forgetWorker, socketPath, type WorkerName } from "./folder.ts";
import { MessageSocket } from "./message-socket.ts";
import type { Down, Hello, Program, Up } from "./messages.ts";

/** Half seconds that a worker may leave the newest snapshot unacknowledged, or be silent. */
const MISSED_TICKS = 10;
/** How often {@link Link.tick} is to be called, in milliseconds. */
export const TICK = 500;
/** Milliseconds that a worker may take to say hello, or to start another. */
const HELLO = 2000;
const SPAWN = 12_000;

export interface LinkEvents {
  onReport(report: Report, link: Link): void;
  onAccess(lines: readonly AccessLine[]): void;
  /** The process has ended, or is about to: nothing comes any more. */
  onClosed(link: Link): void;
}

/** The control plane's end of its connection to one worker. While it is open, the process lives. */
export class Link {
  readonly id: number;
  readonly pid: number;
  /** When it was connected to, in milliseconds. */
  readonly since = performance.now();
  readonly closed: Promise<void>;
  hello!: Hello;
  address: Address | undefined;
  /** The newest; undefined until it serves. */
  report: Report | undefined;
  /** What it was told to serve by; undefined until it was. */
  config: Config | undefined;
  /** It was told to finish and to end. */
  leaving = false;
  /** Its process has ended. */
  gone = false;
  /** Connections that it cut when it ended. */
  cut = 0;
  readonly #messages: MessageSocket<Down, Up>;
  readonly #events: LinkEvents;
  readonly #answers = new Answers<Up>();
  #released = false;
  #awaited = 0;
  #missed = 0;
  #questions = 0;

  private constructor(folder: string, name: WorkerName, socket: Socket, events: LinkEvents) {
    this.id = name.id;
    this.pid = name.pid;
    this.#events = events;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#messages = new MessageSocket<Down, Up>(
      socket,
      (message) => this.#take(message),
      () => {
        this.gone = true;
        if (!this.#released) forgetWorker(folder, name);
        this.#answers.end();
        events.onClosed(this);
        resolve();
      },
    );
  }

  /** Connects to a worker; undefined if it is gone. One that does not say hello is ended. */
  static async open(folder: string, name: WorkerName, events: LinkEvents): Promise<Link | undefined> {
    const socket = connect(socketPath(folder, name));
    const there = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (!there) {
      forgetWorker(folder, name);
      return undefined;
    }
    const link = new Link(folder, name, socket, events);
    const hello = await link.#answers.first((message) => message.kind === "hello", HELLO);
    if (hello?.kind !== "hello") {
      link.kill();
      return undefined;
    }
    link.hello = hello;
    link.address = hello.address;
    link.config = hello.config;
    return link;
  }

  send(message: Down): void {
    this.#messages.send(message);
  }

  /** Resolves once it serves, with false if it ended before. */
  async listening(): Promise<boolean> {
    if (this.report) return true;
    return (await this.#answers.first((message) => message.kind === "report")) !== undefined;
  }

  /** A fresh report; the last one if it takes longer than `patience` milliseconds. */
  async collect(patience: number): Promise<Report | undefined> {
    const question = ++this.#questions;
    const answer = this.#answers.first(
      (message) => message.kind === "report" && message.question === question,
      patience,
    );
    this.send({ kind: "collect", question });
    await answer;
    return this.report;
  }

  /** Has it start another worker on its listening socket. Resolves with the process number, or undefined. */
  async spawn(worker: number, program: Program): Promise<number | undefined> {
    const answer = this.#answers.first(
      (message) => message.kind === "spawned" && message.worker === worker,
      SPAWN,
    );
    this.send({ kind: "spawn", worker, program });
    const spawned = await answer;
    return spawned?.kind === "spawned" ? spawned.pid : undefined;
  }

  configure(config: Config): void {
    this.config = config;
    this.send({ kind: "config", config });
  }

  drain(deadline: number): void {
    this.leaving = true;
    this.send({ kind: "drain", deadline });
  }

  /** The process is there as long as the connection is, so its number is still its own. */
  kill(): void {
    if (this.leaving) this.cut = this.report?.connections ?? 0;
    try {
      process.kill(this.pid, "SIGKILL");
    } catch {} // it has just ended by itself
    this.#messages.destroy();
  }

  /** The same, after everything that was sent has arrived. */
  async letGo(): Promise<void> {
    this.#released = true;
    await this.#messages.end();
  }

  /** Lets go of a worker that serves on. */
  release(): void {
    this.#released = true;
    this.#messages.destroy();
  }

  /**
   * To be called every {@link TICK}. True when the worker has not acknowledged the newest epoch for 5 s. Ticks are counted
   * rather than time, because after a sleep of the whole machine nobody is to blame.
   */
  tick(newest: number): boolean {
    if (this.#missed === 0) this.#awaited = newest;
    return ++this.#missed > MISSED_TICKS;
  }

  #take(message: Up): void {
    if (message.kind === "listening") this.address = message.address;
    else if (message.kind === "access") this.#events.onAccess(message.lines);
    else if (message.kind === "drained") this.cut = message.cut;
    else if (message.kind === "report") this.#noted(message.report);
    this.#answers.take(message);
  }

  #noted(report: Report): void {
    this.report = report;
    if (report.epoch >= this.#awaited) this.#missed = 0;
    this.#events.onReport(report, this);
  }
}
