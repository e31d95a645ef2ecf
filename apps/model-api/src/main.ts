import type { Server } from "node:http";
import { type Logger, pino } from "pino";
import { createApp, identityHeaders } from "./app.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { createHttpServer, listen } from "./server.ts";
import { createService, readModel } from "./service.ts";
import { shutDown } from "./shutdown.ts";
import { Traffic } from "./traffic.ts";

/** Exit codes: 0 ended in good order, 1 could not serve or cut requests, 2 bad options. */
await main().catch((error: Error) => fail(error.name === "OptionError" ? 2 : 1, error.message));

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (!options) return console.log(USAGE);
  const log = pino({ level: options.logLevel, base: { pid: process.pid, color: options.color } });
  const service = createService({
    color: options.color,
    model: options.model ? readModel(options.model) : undefined,
  });
  const app = createApp({ service, bodyLimit: options.bodyLimit, log });
  const server = createHttpServer(app, identityHeaders(service));
  endOnSignals(server, options, log, () => service.drain());
  const { address, port } = await listen(server, options.port, options.host).catch((error) => {
    throw new Error(whyNotListening(error, options));
  });
  if (!service.model)
    log.warn({ path: options.model }, options.model ? "model file is not there" : "no model given");
  log.info({ address, port, model: service.identity ?? null }, "listening");
}

/** The first signal ends gently, the second at once. */
function endOnSignals(server: Server, { drain }: Options, log: Logger, onBegin: () => void): void {
  const traffic = new Traffic(server);
  let begun = false;
  const onSignal = async (signal: NodeJS.Signals) => {
    const { inFlight } = traffic;
    if (begun || !server.listening) {
      log.warn({ signal, inFlight }, "ending at once");
      process.exit(1);
    }
    begun = true;
    log.info({ signal, inFlight }, "draining");
    onBegin();
    const ending = await shutDown(server, traffic, drain);
    log.info({ ending }, "ended");
    process.exit(ending === "drained" ? 0 : 1);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

function whyNotListening(error: NodeJS.ErrnoException, { host, port }: Options): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: "another process listens there",
    EACCES: "this user may not listen there",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "this host is unknown",
  };
  return `cannot listen on ${host} port ${port}: ${reasons[error.code ?? ""] ?? error.message}.`;
}

function fail(code: number, message: string): never {
  process.stderr.write(`model-api: ${message}\n`);
  process.exit(code);
}
