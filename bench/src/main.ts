// `npm run bench`: what the proxy costs, side by side with others, in one run on one pinned core. Prints tables.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { caddy } from "./contenders/caddy.ts";
import type { Contender } from "./contenders/contender.ts";
import { haproxy } from "./contenders/haproxy.ts";
import { sluice } from "./contenders/in-node.ts";
import { nginx } from "./contenders/nginx.ts";
import { exitCodeOf, type Options, readOptions } from "./options.ts";
import { answers } from "./parts/answers.ts";
import { body } from "./parts/body.ts";
import { growth } from "./parts/growth.ts";
import { grpc } from "./parts/grpc.ts";
import { idle } from "./parts/idle.ts";
import { latency } from "./parts/latency.ts";
import type { Bench, Part } from "./parts/part.ts";
import { rollout } from "./parts/rollout.ts";
import { small } from "./parts/small.ts";
import { workers } from "./parts/workers.ts";
import { has, stopAll } from "./processes/pinned.ts";
import { markdownOf, tableOf } from "./table.ts";

const CONTENDERS: readonly Contender[] = [nginx, haproxy, caddy, sluice("http-proxy"), sluice("wire")];
const ALL_PARTS: readonly Part[] = [small, workers, latency, body, idle, growth, rollout, answers, grpc];

const options = optionsOrExit();
const parts = ALL_PARTS.filter(({ name }) => options.parts.includes(name)).filter((part) => {
  const missing = part.missing?.();
  if (missing !== undefined) console.error(`bench: without ${part.name}: ${missing}.`);
  return missing === undefined;
});
const lacking = ["taskset", ...parts.flatMap(({ needs }) => needs)].find((program) => !has(program));
if (lacking !== undefined) {
  console.error(`bench: needs ${lacking} (Debian: apt-get install wrk util-linux).`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const watched = process.stderr.isTTY;
let interrupted = false;
for (const [signal, code] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.once(signal, () => {
    interrupted = true;
    cleanUp().finally(() => process.exit(code));
  });
}
try {
  await run();
} finally {
  await cleanUp();
}

async function run(): Promise<void> {
  const cores = availableParallelism();
  const bench: Bench = {
    options,
    folder,
    proxyCore: 0,
    loadCore: cores > 1 ? 1 : 0,
    contenders: CONTENDERS.filter(present),
    say,
    complain: (text) => {
      if (!interrupted) console.error(`bench: ${text}`);
    },
  };
  for (const part of parts) {
    if (interrupted) return;
    try {
      const report = await part.run({ ...bench, say: (text) => say(`${part.name}, ${text}`) });
      say("");
      if (interrupted) return;
      console.log(options.markdown ? markdownOf(part.name, report) : tableOf(report, process.stdout.isTTY));
    } catch (error) {
      bench.complain(`without ${part.name}: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
  console.log(
    cores > 1
      ? "One core for the proxy, one for the load and the upstreams; loopback; access log off."
      : "This machine has one core: load and upstreams take from what the proxy could have. Compare CPU only.",
  );
}

function present(contender: Contender): boolean {
  const missing = contender.missing();
  if (missing !== undefined) console.error(`bench: without ${contender.name}: ${missing}.`);
  return missing === undefined;
}

function say(text: string): void {
  if (watched) process.stderr.write(`\r${text.padEnd(60)}\r`);
}

async function cleanUp(): Promise<void> {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    process.exit(code);
  }
}
