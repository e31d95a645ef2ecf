import { parseArgs } from "node:util";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

/** The demo's blue model API. */
const DEFAULT_TARGET = "http://127.0.0.1:8001";

/** Milliseconds for a call. */
const TIMEOUT = 10_000;

/**
 * Runs a ready-made gRPC call and prints its answer as JSON. What goes wrong is one sentence and exit code 1; a wrong
 * option is exit code 2.
 * @param ask gives what to print
 */
export async function runCall(name: string, ask: (transport: Transport) => Promise<object>): Promise<void> {
  const target = readTarget(name);
  if (!target) return;
  const transport = createGrpcTransport({ baseUrl: target, defaultTimeoutMs: TIMEOUT });
  try {
    console.log(JSON.stringify(await ask(transport), null, 2));
  } catch (error) {
    fail(name, 1, why(ConnectError.from(error), target));
  }
}

function readTarget(name: string): string | undefined {
  const help = `Usage: npm run ${name} -- [--target ${DEFAULT_TARGET}] (env SLUICE_GRPC)`;
  try {
    const options = { target: { type: "string" }, help: { type: "boolean", short: "h" } } as const;
    const { values } = parseArgs({ options });
    if (values.help) return void console.log(help);
    const given = values.target ?? (process.env.SLUICE_GRPC || DEFAULT_TARGET);
    const target = /^[a-z]+:\/\//i.test(given) ? given : `http://${given}`;
    if (URL.canParse(target) && /^https?:/.test(target)) return new URL(target).origin;
    fail(name, 2, `the target is ${JSON.stringify(given)}: expected an address such as ${DEFAULT_TARGET}.`);
  } catch (error) {
    fail(name, 2, `${(error as Error).message.split(/\.\s/)[0]?.replace(/\.$/, "")}. ${help}`);
  }
}

function why({ code, rawMessage }: ConnectError, target: string): string {
  const nobody = `no gRPC server answers at ${target} (${rawMessage}). Is it running? Start the demo with \`npm start\`.`;
  if (/ECONN|ENOTFOUND|EHOST|socket|http2|protocol error|HTTP/i.test(rawMessage)) return nobody;
  if (code === Code.DeadlineExceeded) return `${target} gave no answer within ${TIMEOUT / 1000} s.`;
  return `${target} answered ${Code[code]}: ${rawMessage}`;
}

function fail(name: string, code: number, message: string): undefined {
  process.stderr.write(`${name}: ${message}\n`);
  process.exitCode = code;
}
