import { existsSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Address, Config } from "../config/config.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { ENGINES } from "../engines.ts";
import { LocalChannel, withServed } from "../local-channel.ts";
import { createLog, flushLog, type Logger } from "../log.ts";
import type { AccessLine } from "../proxy/access-line.ts";
import { DataPlane } from "../proxy/data-plane.ts";
import type { Engine } from "../proxy/engine.ts";
import { randomSource } from "../proxy/random-source.ts";
import { VERSION } from "../version.ts";
import { socketPath } from "./folder.ts";
import { MessageSocket } from "./message-socket.ts";
import type { Down, Program, Up } from "./messages.ts";
import { LISTENING_FD, spawnWorker } from "./spawn.ts";

/** Milliseconds that a worker waits for its first control plane before it gives up. */
const PATIENCE = 15_000;
/** Milliseconds after which a worker without one looks again whether it can still be found. */
const LOOK = 1000;

interface Serving {
  readonly plane: DataPlane;
  readonly channel: LocalChannel;
  readonly engine: Engine;
}

/**
 * A data plane in a process of its own. It listens for a control plane on a Unix socket and obeys the newest that
 * connects. Without one it serves on by its last snapshot until another comes; where none can find it, because there is no
 * durable state or its socket's file is gone, it finishes what it has and ends.
 */
export class WorkerProcess {
  readonly #worker: number;
  readonly #folder: string;
  readonly #server: Server;
  #parent: MessageSocket<Up, Down> | undefined;
  #log: Logger | undefined;
  #serving: Serving | undefined;
  #address: Address | undefined;
  #opened = false;
  #listens = false;
  #stopping = false;
  #inherited = false;
  #lines: AccessLine[] = [];
  #patience = 0;
  #expecting: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(worker: number, folder: string) {
    this.#worker = worker;
    this.#folder = folder;
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** Waits for a control plane, and tells whoever started this process. */
  async open(): Promise<void> {
    process.on("SIGINT", () => {}); // a terminal's Ctrl-C reaches every process; the control plane says what to do
    process.on("SIGHUP", () => {});
    process.on("SIGUSR2", () => {});
    process.on("SIGTERM", () => void this.#drain(this.#serving?.plane.config.timeouts.drain ?? 0));
    await new Promise<void>((resolve) => this.#server.listen(this.#path, resolve));
    setTimeout(() => this.#giveUp(), PATIENCE).unref();
    if (process.connected) process.send!("ready", () => {});
  }

  /** Where a control plane finds it. */
  get #path(): string {
    return socketPath(this.#folder, { id: this.#worker, pid: process.pid });
  }

  /** Whoever began it died before it said what to serve. */
  #giveUp(): void {
    if (!this.#serving && !this.#parent) void this.#drain(0);
  }

  #connected(socket: Socket): void {
    clearTimeout(this.#expecting);
    clearInterval(this.#looking);
    this.#parent?.destroy();
    this.#inherited = this.#listens;
    const parent: MessageSocket<Up, Down> = new MessageSocket<Up, Down>(
      socket,
      (message) => this.#take(message),
      () => {
        if (this.#parent === parent) this.#left();
      },
    );
    this.#parent = parent;
    parent.send({
      kind: "hello",
      version: VERSION,
      config: this.#serving?.plane.config,
      address: this.#address,
    });
    if (this.#listens) this.#report();
  }

  #left(): void {
    this.#parent = undefined;
    if (this.#patience === 0) this.#orphaned();
    else this.#expecting = setTimeout(() => this.#orphaned(), this.#patience);
  }

  #orphaned(): void {
    if (this.#stopping) return;
    const config = this.#serving?.plane.config;
    if (config?.state === undefined) void this.#drain(config?.timeouts.drain ?? 0);
    else {
      const about = { worker: this.#worker, epoch: this.#serving!.plane.epoch };
      this.#log!.warn(about, "The control plane is gone: serving on by the last snapshot.");
      this.#looking = setInterval(() => this.#look(), LOOK);
    }
  }

  /** Whoever starts next would find a port that is taken, and nobody who gives it up. */
  #look(): void {
    if (existsSync(this.#path)) return;
    clearInterval(this.#looking);
    this.#log!.warn(
      { worker: this.#worker, path: this.#path },
      "The worker's socket is gone, so no router can take it over: finishing what is in flight, and ending.",
    );
    void this.#drain(this.#serving!.plane.config.timeouts.drain);
  }

  #take(message: Down): void {
    if (message.kind === "config") this.#configure(message.config);
    else if (message.kind === "tls") this.#serving?.plane.equip(message.material);
    else if (message.kind === "snapshot") this.#serve(message.snapshot);
    else if (message.kind === "collect") this.#report(message.question);
    else if (message.kind === "spawn") void this.#spawn(message.worker, message.program);
    else if (message.kind === "patience") this.#patience = message.milliseconds;
    else if (message.kind === "drain") void this.#drain(message.deadline);
  }

  #configure(config: Config): void {
    if (this.#serving) {
      this.#serving.plane.configure(config);
      return;
    }
    this.#log = createLog(config.log);
    const accessLog = (line: AccessLine) => this.#access(line);
    const plane = new DataPlane({
      config,
      worker: this.#worker,
      random: randomSource(this.#worker),
      accessLog,
    });
    const channel = new LocalChannel(plane, (plane) => plane.report()); // what was predicted goes up from here
    channel.onReport(() => {
      if (this.#listens) this.#report();
    });
    this.#serving = { plane, channel, engine: ENGINES[config.engine](plane) };
  }

  /** The first snapshot opens the door: before, every request would have been answered 503. */
  #serve(snapshot: Snapshot): void {
    if (!this.#serving) return;
    this.#serving.channel.publish(snapshot);
    if (this.#opened || this.#stopping) return;
    this.#opened = true;
    void this.#serving.engine.listen({ fd: LISTENING_FD }).then((address) => {
      this.#address = address;
      this.#listens = true;
      this.#parent?.send({ kind: "listening", address });
      this.#report();
    });
  }

  #report(question?: number): void {
    if (!this.#serving || !this.#listens) return;
    const { plane } = this.#serving;
    const report = {
      ...(this.#parent ? withServed(plane) : plane.report()),
      ...(this.#inherited ? { inherited: true } : {}),
    };
    this.#inherited = false;
    this.#parent?.send({ kind: "report", report, ...(question === undefined ? {} : { question }) });
  }

  async #spawn(worker: number, program: Program): Promise<void> {
    const options = { program, worker, folder: this.#folder, fd: LISTENING_FD };
    const pid = await spawnWorker(options).catch((error: Error) => {
      this.#log?.error({ worker, reason: error.message }, "A worker could not be started.");
      return undefined;
    });
    this.#parent?.send({ kind: "spawned", worker, pid });
  }

  /** Lines of one turn go up together; without a control plane they are written here. */
  #access(line: AccessLine): void {
    if (!this.#parent) this.#log!.info(line, "request");
    else if (this.#lines.push(line) === 1) setImmediate(() => this.#sendLines());
  }

  #sendLines(): void {
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length === 0) return;
    if (this.#parent) this.#parent.send({ kind: "access", lines });
    else for (const line of lines) this.#log!.info(line, "request");
  }

  async #drain(deadline: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const cut = this.#listens ? await this.#serving!.engine.drain(deadline) : 0;
    this.#serving?.plane.observer.stop();
    await this.#serving?.plane.spans.close();
    this.#sendLines();
    this.#report();
    this.#parent?.send({ kind: "drained", cut });
    this.#server.close();
    await this.#parent?.end();
    if (this.#log) await flushLog(this.#log);
    process.exit(0);
  }
}
