import type { Channel } from "./channel.ts";
import { formatAddress } from "./config/address.ts";
import type { Address, Config } from "./config/config.ts";
import { systemClock } from "./control/clock.ts";
import { type ControlPlane, createControlPlane } from "./control/control-plane.ts";
import { askTarget } from "./control/gates/ask.ts";
import { InheritedSockets } from "./handover/inherited-sockets.ts";
import { activatedSockets } from "./handover/listen-fds.ts";
import type { HandedOver, InheritedSocket, SocketKey } from "./handover/messages.ts";
import { Notifier } from "./handover/notify.ts";
import type { Predecessor } from "./handover/predecessor.ts";
import { Upgrades } from "./handover/upgrades.ts";
import { AppServer } from "./http-server.ts";
import { untilEnd, upgradeOnSignal } from "./lifecycle.ts";
import { LocalService } from "./local-service.ts";
import type { Logger } from "./log.ts";
import type { Service } from "./service.ts";
import { targetProbe } from "./targets/probe.ts";
import { Security } from "./tls/security.ts";
import { VERSION } from "./version.ts";
import { needsWorkers, WorkerService } from "./workers/worker-service.ts";

/** How long the first checks may hold back the listening socket, in milliseconds. */
const FIRST_VERDICTS = 3000;

export interface ServeOptions {
  readonly config: Config;
  /** Reads the configuration again, at SIGHUP. @throws ConfigError */
  readonly reread: () => Config;
  readonly log: Logger;
  /** The router that started this one in its place; undefined where a user or a supervisor did. */
  readonly predecessor?: Predecessor | undefined;
}

/** Something that was started and has to be ended. */
type Ending = () => Promise<void>;

/** The control plane's ports, by the option that names the address. */
type Apps = ReadonlyMap<SocketKey, AppServer>;

/**
 * Starts a router and leaves it to signals: SIGTERM and SIGINT drain and end it, a second one ends it at once, SIGHUP
 * reads the configuration again, SIGUSR2 starts the program that is on the disk now in its place. `closed` resolves
 * with the process's exit code.
 * @throws StartError what was started has been ended again
 */
export async function serve(options: ServeOptions): Promise<{ readonly closed: Promise<number> }> {
  const { config, log, predecessor } = options;
  const notifier = new Notifier(log);
  const upgrades = new Upgrades(log, notifier);
  upgradeOnSignal(upgrades);
  const sockets = new InheritedSockets(predecessor?.legacy.sockets ?? activatedSockets(config, process.env));
  const security = new Security({ config, log, clock: systemClock });
  const handed = await predecessor?.take(VERSION, config.state);
  const service = createService(options, sockets, handed);
  service.equip(security.material);
  const channel = joined(service.channel, options, handed);
  const control = await createControlPlane({
    config,
    channel,
    log,
    version: VERSION,
    unready: () => security.unready() ?? service.unready(),
    probe: targetProbe(systemClock, security.dialer),
    ask: askTarget(security.dialer),
    tls: () => security.facts,
    handed: handed?.control,
    upgrade: (timeout) => upgrades.run(timeout),
  });
  const endings: Ending[] = [async () => security.stop(), () => service.end(), () => control.stop()];
  try {
    predecessor?.begin();
    await service.adopt();
    await control.start();
    const apps = await listenForControl(options, control, security, sockets, endings);
    await control.firstVerdicts(FIRST_VERDICTS);
    const listen = await service.listen();
    sockets.dropRest();
    await predecessor?.serves();
    service.settle();
    control.open();
    security.start(listen.port);
    security.onChange(
      (material) => service.equip(material),
      (admin) => {
        for (const app of apps.values()) app.secure(admin);
      },
    );
    const addresses = { listen, ...addressesOf(apps) };
    announce(log, config, addresses);
    const status = `Serving ${formatAddress(listen)} with version ${VERSION}`;
    notifier.ready(status);
    upgrades.enable({
      version: VERSION,
      state: config.state,
      colors: Object.keys(config.colors),
      service,
      control,
      channel,
      sockets: () => openSockets(config, service, apps, sockets),
      leave: (leaving) => {
        for (const app of apps.values()) app.leave(leaving);
        security.hold(leaving);
      },
      status,
    });
    const running = {
      ...options,
      service,
      control,
      security,
      apps: [...apps.values()],
      upgrades,
      notifier,
      status,
    };
    const closed = untilEnd(running).then(async (code) => {
      await endAll(endings);
      await predecessor?.gone; // it, too, finishes what it has
      return code;
    });
    return { closed };
  } catch (error) {
    await endAll(endings);
    throw error;
  }
}

function createService(
  { config, log }: ServeOptions,
  sockets: InheritedSockets,
  handed: HandedOver | undefined,
): Service {
  const folder = handed?.workers;
  const socket = sockets.take("listen", config.listen);
  if (!needsWorkers(config, folder)) return new LocalService(config, log, socket);
  return new WorkerService(config, log, { socket, keepSocket: sockets.isSupervised("listen"), folder });
}

/** What the router before this one still counts is part of what this one reports. */
function joined(
  channel: Channel,
  { config, predecessor }: ServeOptions,
  handed: HandedOver | undefined,
): Channel {
  return predecessor && handed ? predecessor.join(channel, handed, Object.keys(config.colors)) : channel;
}

async function listenForControl(
  { config }: ServeOptions,
  control: ControlPlane,
  security: Security,
  sockets: InheritedSockets,
  endings: Ending[],
): Promise<Apps> {
  const apps = new Map<SocketKey, AppServer>();
  const open = async (key: SocketKey, server: AppServer, address: Address) => {
    await server.listen(key, address, sockets.take(key, address));
    endings.unshift(() => server.close());
    apps.set(key, server);
  };
  const { admin } = security;
  await open("admin.listen", new AppServer(control.adminApp, admin), config.admin.listen);
  const { listen } = config.metrics;
  if (control.metricsApp && listen !== "admin")
    await open("metrics.listen", new AppServer(control.metricsApp, admin), listen);
  if (security.redirect && config.tls?.redirect)
    await open("tls.redirect", new AppServer(security.redirect.server), config.tls.redirect);
  return apps;
}

function addressesOf(apps: Apps): Record<string, Address> {
  return Object.fromEntries([...apps].map(([key, { address }]) => [key.replace(".listen", ""), address]));
}

/** What a successor can inherit. */
function openSockets(config: Config, service: Service, apps: Apps, inherited: InheritedSockets) {
  const { listen } = config.metrics;
  const addresses: readonly [SocketKey, Address, number | undefined][] = [
    ["listen", config.listen, service.inheritance.socket],
    ["admin.listen", config.admin.listen, apps.get("admin.listen")?.fd],
    ["tls.redirect", config.tls?.redirect ?? config.listen, apps.get("tls.redirect")?.fd],
    ["metrics.listen", listen === "admin" ? config.admin.listen : listen, apps.get("metrics.listen")?.fd],
  ];
  const open = new Map<SocketKey, InheritedSocket>();
  for (const [key, address, fd] of addresses) {
    const [configured, supervised] = [formatAddress(address), inherited.isSupervised(key)];
    if (fd !== undefined) open.set(key, { fd, configured, supervised });
  }
  return open;
}

function announce(log: Logger, config: Config, addresses: Readonly<Record<string, Address>>): void {
  const where = Object.fromEntries(
    Object.entries(addresses).map(([name, address]) => [name, formatAddress(address)]),
  );
  log.info({ version: VERSION, engine: config.engine, ...where }, "The router is listening.");
  if (config.hedge && config.engine === "http-proxy")
    log.warn({}, "hedge is set, and has no effect with the engine http-proxy.");
}

async function endAll(endings: readonly Ending[]): Promise<void> {
  for (const end of endings) await end();
}
