import { type Logger, pino } from "pino";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { createModelServer, type ModelServer } from "./serve.ts";
import { listen } from "./server.ts";
import { createService, readModel } from "./service.ts";

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
  const server = createModelServer({ service, bodyLimit: options.bodyLimit, log });
  endOnSignals(server, options, log);
  const { address, port } = await listen(server.server, options.port, options.host).catch((error) => {
    throw new Error(whyNotListening(error, options));
  });
  if (!service.model)
    log.warn({ path: options.model }, options.model ? "model file is not there" : "no model given");
  log.info({ address, port, model: service.identity ?? null }, "listening");
}

/** The first signal ends gently, the second at once. */
function endOnSignals(server: ModelServer, { drain }: Options, log: Logger): void {
  let begun = false;
  const onSignal = async (signal: NodeJS.Signals) => {
    const { inFlight } = server;
    if (begun || !server.server.listening) {
      log.warn({ signal, inFlight }, "ending at once");
      process.exit(1);
    }
    begun = true;
    log.info({ signal, inFlight }, "draining");
    const ending = await server.end(drain);
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
