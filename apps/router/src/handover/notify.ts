import { execFile } from "node:child_process";
import type { Logger } from "../log.ts";

/** Milliseconds that systemd-notify may take. */
const PATIENCE = 5000;

/**
 * Tells the supervisor what it has to know of this process: sd_notify(3). Node has no Unix datagram sockets, so
 * systemd's own `systemd-notify` sends; a unit needs `NotifyAccess=all` for that. Without `NOTIFY_SOCKET` nothing
 * happens, and a message that cannot be sent is one line in the log: it never holds anything up.
 */
export class Notifier {
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: Logger;
  #queue: Promise<void> = Promise.resolve();
  #watchdog: NodeJS.Timeout | undefined;
  #failed = false;

  constructor(log: Logger, env: NodeJS.ProcessEnv = process.env) {
    this.#log = log;
    this.#env = env;
  }

  /** Serves from now on, and says that it lives for as long as it is asked to. */
  ready(status: string): void {
    this.#send("READY=1", `STATUS=${status}`);
    this.#watch();
  }

  /** Something is under way; {@link ready} ends it. */
  reloading(status: string): void {
    const now = process.hrtime.bigint() / 1000n; // CLOCK_MONOTONIC, as systemd wants it
    this.#send("RELOADING=1", `MONOTONIC_USEC=${now}`, `STATUS=${status}`);
  }

  stopping(): void {
    this.#send("STOPPING=1", "STATUS=Finishing the requests in flight");
  }

  /** Another process is the service's main one from now on. */
  mainPid(pid: number): void {
    clearInterval(this.#watchdog);
    this.#send(`MAINPID=${pid}`);
  }

  /** Resolves once everything was sent, or could not be. */
  sent(): Promise<void> {
    return this.#queue;
  }

  #watch(): void {
    const microseconds = Number(this.#env.WATCHDOG_USEC);
    if (this.#watchdog || !this.#env.NOTIFY_SOCKET || !(microseconds > 0)) return;
    this.#watchdog = setInterval(() => this.#send("WATCHDOG=1"), microseconds / 2000);
    this.#watchdog.unref();
  }

  #send(...assignments: readonly string[]): void {
    if (!this.#env.NOTIFY_SOCKET) return;
    this.#queue = this.#queue.then(
      () =>
        new Promise((resolve) => {
          const options = { env: this.#env, timeout: PATIENCE, killSignal: "SIGKILL" } as const;
          execFile("systemd-notify", assignments, options, (error) => {
            if (error) this.#complain(error);
            resolve();
          });
        }),
    );
  }

  #complain(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#log.warn(
      { reason: error.message.trim() },
      "NOTIFY_SOCKET is set, but systemd-notify could not tell the supervisor.",
    );
  }
}
