import type { Config } from "./config/config.ts";
import { diffForReload } from "./config/reload.ts";
import { UPGRADE_TIMEOUT } from "./control/admin/upgrade.ts";
import type { ControlPlane } from "./control/control-plane.ts";
import type { Notifier } from "./handover/notify.ts";
import type { Predecessor } from "./handover/predecessor.ts";
import type { Upgrades } from "./handover/upgrades.ts";
import type { AppServer } from "./http-server.ts";
import type { Logger } from "./log.ts";
import type { Service } from "./service.ts";
import type { Security } from "./tls/security.ts";

/** Milliseconds that idle connections are kept when this process has a successor: nothing else waits for its end. */
const GRACE = 2000;
/** Milliseconds that requests to the admin API may take to be answered when this process has a successor. */
const LAST_ANSWERS = 5000;

/** A router that serves. */
export interface Running {
  readonly config: Config;
  readonly reread: () => Config;
  readonly log: Logger;
  readonly service: Service;
  readonly control: ControlPlane;
  readonly security: Security;
  readonly apps: readonly AppServer[];
  readonly upgrades: Upgrades;
  /** The router before this one, which may still finish what it has. */
  readonly predecessor?: Predecessor | undefined;
  readonly notifier: Notifier;
  /** For the supervisor: what this router does. */
  readonly status: string;
}

/** Obeys signals until the router has finished; resolves with the process's exit code. */
export function untilEnd(running: Running): Promise<number> {
  const { log, upgrades } = running;
  const reloads = new Reloads(running);
  process.on("SIGHUP", () => reloads.run());
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) {
        log.warn({ signal }, "Stopping at once.");
        resolve(1);
        return;
      }
      stopping = true;
      void finish(running, reloads.current.timeouts.drain, signal).then(resolve);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    void upgrades.done.then(async () => {
      if (!stopping) resolve(await leave(running, reloads.current.timeouts.drain));
    });
  });
}

/** Lets SIGUSR2 ask for an upgrade; what comes of it is in the log. */
export function upgradeOnSignal(upgrades: Upgrades): void {
  process.on("SIGUSR2", () => void upgrades.run(UPGRADE_TIMEOUT).catch(() => {}));
}

async function finish(running: Running, deadline: number, signal: string): Promise<number> {
  const { log, control, service, upgrades, notifier } = running;
  await upgrades.cancel();
  notifier.stopping();
  control.retire();
  log.info({ signal, connections: service.connections }, "Stopping: requests in flight are finished first.");
  const cut = await service.drain(deadline);
  return ended(log, cut);
}

/** The same where a successor serves on. */
async function leave(running: Running, deadline: number): Promise<number> {
  const { log, control, service, apps, upgrades, predecessor } = running;
  control.retire();
  const [cut] = await Promise.all([
    service.drain(deadline, Math.min(GRACE, deadline / 2)),
    ...apps.map((app) => app.finish(LAST_ANSWERS)),
  ]);
  await predecessor?.gone; // what it still finishes is part of what the successor is told last
  await upgrades.farewell();
  return ended(log, cut);
}

function ended(log: Logger, cut: number): number {
  if (cut > 0) log.warn({ cut }, "Connections were cut: they did not end within timeouts.drain.");
  log.info({}, "Stopped.");
  return cut === 0 ? 0 : 1;
}

/** Reads the configuration again, one reload after another; a bad file changes nothing. */
class Reloads {
  readonly #running: Running;
  /** The configuration in force. */
  current: Config;
  #queue: Promise<void> = Promise.resolve();

  constructor(running: Running) {
    this.#running = running;
    this.current = running.config;
  }

  run(): void {
    const { log, notifier, status } = this.#running;
    this.#queue = this.#queue
      .then(() => this.#reload())
      .catch((error: Error) => {
        log.error({}, `The configuration was not taken over, nothing has changed: ${error.message}`);
      })
      .finally(() => notifier.ready(status));
  }

  async #reload(): Promise<void> {
    const { reread, log, upgrades, notifier, control, service, security } = this.#running;
    if (upgrades.isRunning) throw new Error("an upgrade is under way, and the new program reads it anyway.");
    notifier.reloading("Reading the configuration again");
    const next = reread();
    const { applied, restart } = diffForReload(this.current, next);
    const takeOver = security.prepare(next);
    await control.reload(next);
    service.configure(next);
    takeOver();
    this.current = next;
    log.info({ applied, restart }, "The configuration was read again.");
    if (restart.length > 0) log.warn({ restart }, "These keys take effect after a restart.");
  }
}
