import { formatAddress } from "./config/address.ts";
import type { Address, Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { diffForReload } from "./config/reload.ts";
import { type ControlPlane, createControlPlane } from "./control/control-plane.ts";
import { closeServer, serveApp } from "./http-server.ts";
import { LocalService } from "./local-service.ts";
import type { Logger } from "./log.ts";
import type { Service } from "./service.ts";
import { VERSION } from "./version.ts";
import { needsWorkers, WorkerService } from "./workers/worker-service.ts";

/** How long the first checks may hold back the listening socket, in milliseconds. */
const FIRST_VERDICTS = 3000;

export interface ServeOptions {
  readonly config: Config;
  /** Read again at SIGHUP. */
  readonly configPath: string;
  readonly log: Logger;
}

/** Something that was started and has to be ended. */
type Ending = () => Promise<void>;

/**
 * Starts a router and leaves it to signals: SIGTERM and SIGINT drain and end it, a second one ends it at once, SIGHUP
 * reads the configuration again. `closed` resolves with the process's exit code.
 * @throws StartError what was started has been ended again
 */
export async function serve(options: ServeOptions): Promise<{ readonly closed: Promise<number> }> {
  const { config, log } = options;
  const service: Service = needsWorkers(config)
    ? new WorkerService(config, log)
    : new LocalService(config, log);
  const { channel } = service;
  const unready = () => service.unready();
  const control = await createControlPlane({ config, channel, log, version: VERSION, unready });
  const endings: Ending[] = [() => service.end(), () => control.stop()];
  try {
    await service.adopt();
    await control.start();
    const addresses = await listenForControl(config, control, endings);
    await control.firstVerdicts(FIRST_VERDICTS);
    const listen = await service.listen();
    announce(log, config, { listen, ...addresses });
    const closed = untilSignal(options, { service, control }).then(async (code) => {
      await endAll(endings);
      return code;
    });
    return { closed };
  } catch (error) {
    await endAll(endings);
    throw error;
  }
}

async function listenForControl(
  config: Config,
  control: ControlPlane,
  endings: Ending[],
): Promise<Record<string, Address>> {
  const admin = await serveApp(control.adminApp, "admin.listen", config.admin.listen);
  endings.unshift(() => closeServer(admin.server));
  if (!control.metricsApp || config.metrics.listen === "admin") return { admin: admin.address };
  const metrics = await serveApp(control.metricsApp, "metrics.listen", config.metrics.listen);
  endings.unshift(() => closeServer(metrics.server));
  return { admin: admin.address, metrics: metrics.address };
}

function announce(log: Logger, config: Config, addresses: Readonly<Record<string, Address>>): void {
  const where = Object.fromEntries(
    Object.entries(addresses).map(([name, address]) => [name, formatAddress(address)]),
  );
  log.info({ version: VERSION, engine: config.engine, ...where }, "The router is listening.");
  if (config.hedge && config.engine === "http-proxy")
    log.warn({}, "hedge is set, and has no effect with the engine http-proxy.");
}

interface Running {
  readonly service: Service;
  readonly control: ControlPlane;
}

/** Resolves with the exit code once a signal has ended the service of requests. */
function untilSignal(options: ServeOptions, running: Running): Promise<number> {
  const reloads = new Reloads(options, running);
  process.on("SIGHUP", () => reloads.run());
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) {
        options.log.warn({ signal }, "Stopping at once.");
        resolve(1);
        return;
      }
      stopping = true;
      void drain(options.log, running, reloads.current.timeouts.drain, signal).then((cut) =>
        resolve(cut === 0 ? 0 : 1),
      );
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}

async function drain(
  log: Logger,
  { service, control }: Running,
  deadline: number,
  signal: string,
): Promise<number> {
  control.retire();
  log.info({ signal, connections: service.connections }, "Stopping: requests in flight are finished first.");
  const cut = await service.drain(deadline);
  if (cut > 0) log.warn({ cut }, "Connections were cut: they did not end within timeouts.drain.");
  log.info({}, "Stopped.");
  return cut;
}

/** Reads the configuration again, one reload after another; a bad file changes nothing. */
class Reloads {
  readonly #options: ServeOptions;
  readonly #running: Running;
  /** The configuration in force. */
  current: Config;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ServeOptions, running: Running) {
    this.#options = options;
    this.#running = running;
    this.current = options.config;
  }

  run(): void {
    this.#queue = this.#queue
      .then(() => this.#reload())
      .catch((error: Error) => {
        this.#options.log.error(
          {},
          `The configuration was not taken over, nothing has changed: ${error.message}`,
        );
      });
  }

  async #reload(): Promise<void> {
    const { configPath, log } = this.#options;
    const next = loadConfig(configPath, process.env);
    const { applied, restart } = diffForReload(this.current, next);
    await this.#running.control.reload(next);
    this.#running.service.configure(next);
    this.current = next;
    log.info({ applied, restart }, "The configuration was read again.");
    if (restart.length > 0) log.warn({ restart }, "These keys take effect after a restart.");
  }
}

async function endAll(endings: readonly Ending[]): Promise<void> {
  for (const end of endings) await end();
}
