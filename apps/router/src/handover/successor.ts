import { type ChildProcess, spawn } from "node:child_process";
import { type Down, HANDOVER, type Legacy, type SocketKey, type Sockets, type Up } from "./messages.ts";

/** Where a successor finds the first socket: below are the standard streams and Node's IPC. */
const FIRST_FD = 4;

/** What this process has open, by the option that names its address. */
export type OpenSockets = ReadonlyMap<SocketKey, Sockets[SocketKey] & object>;

/** The program that is on the disk now, started by the command line of this process, on its sockets. */
export class Successor {
  readonly #child: ChildProcess;
  readonly #waiting = new Set<(message: Up) => void>();
  /** Rejects when it cannot take over: it says so, it ends, or it cannot even be started. */
  readonly lost: Promise<never>;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess, take: (message: Up) => void) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    let why: string | undefined;
    child.on("message", (message: Up) => {
      if (message.kind === "failed") why = message.why;
      else take(message);
      for (const hear of [...this.#waiting]) hear(message);
    });
    this.lost = new Promise((_, reject) => {
      child.once("error", (error) =>
        reject(new Error(`the new program cannot be started (${error.message}).`)),
      );
      child.once("exit", (code, signal) => {
        const how = signal ?? `exit code ${code}`;
        reject(
          new Error(why ?? `the new program ended with ${how} before it served; its own messages say why.`),
        );
      });
    });
    this.lost.catch(() => {}); // once it serves, nobody waits for this any more
  }

  static start(version: string, sockets: OpenSockets, take: (message: Up) => void): Successor {
    const entries = [...sockets];
    const inherited = entries.map(([key, socket], i) => [key, { ...socket, fd: FIRST_FD + i }]);
    const legacy: Legacy = { version, sockets: Object.fromEntries(inherited) };
    const { WATCHDOG_PID: _own, ...env } = process.env;
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      env: { ...env, [HANDOVER]: JSON.stringify(legacy) },
      stdio: ["ignore", "inherit", "inherit", "ipc", ...entries.map(([, { fd }]) => fd)],
    });
    return new Successor(child, take);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves with the next message of a kind. */
  next<K extends Up["kind"]>(kind: K): Promise<Extract<Up, { kind: K }>> {
    return new Promise((resolve) => {
      const hear = (message: Up) => {
        if (message.kind !== kind) return;
        this.#waiting.delete(hear);
        resolve(message as Extract<Up, { kind: K }>);
      };
      this.#waiting.add(hear);
    });
  }

  /** Resolves once the system has taken it. */
  send(message: Down): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#child.connected) resolve();
      else this.#child.send(message, () => resolve()); // an error is the other's end, which is noticed anyway
    });
  }

  /** Ends it at once; resolves when it has ended. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** This process may end. */
  leave(): void {
    this.#child.unref();
    if (this.#child.connected) this.#child.disconnect();
  }
}
