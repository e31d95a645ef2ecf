import { resolve } from "node:path";
import { CliError } from "../../errors.ts";
import { type Death, Supervised } from "../../up/supervised.ts";
import { addressOf } from "./addresses.ts";
import { BoundedLog } from "./bounded-log.ts";
import { identify } from "./identity.ts";
import { KeepFiles, type Order } from "./keep-file.ts";

/** Milliseconds that a process must live before it is started again when it dies: one that cannot start shall be seen. */
const STEADY = 10_000;
/** Milliseconds that processes have to end gently; a model API takes at most 30 s. */
const GRACE = 40_000;

/**
 * The life of a color's processes without Docker: starts them, starts again what dies later, bounds what they print,
 * and ends with them on SIGTERM. A process of its own that outlives the deploy.
 * @returns the exit code
 */
export async function keep(folder: string, color: string, id: string): Promise<number> {
  const files = new KeepFiles(resolve(folder), color);
  process.on("SIGHUP", () => {});
  const order = await files.readOrder();
  if (order?.id !== id) throw new CliError(`nobody wants ${id} on ${color} any more.`);
  const { pid, began } = identify(process.pid)!;
  await files.writePresence({ id, pid, began, version: order.version });
  // whoever takes the order back looks for the presence afterwards, so one of the two sees the other
  if ((await files.readOrder())?.id !== id) {
    await files.removePresence();
    throw new CliError(`nobody wants ${id} on ${color} any more.`);
  }
  const code = await serve(order, files);
  if ((await files.readPresence())?.id === id) await files.removePresence();
  return code;
}

function serve(order: Order, { log: path }: KeepFiles): Promise<number> {
  const log = new BoundedLog(path);
  const say = (text: string) => log.write(`${new Date().toISOString()} keeper ${text}\n`);
  return new Promise((done) => {
    let ending = false;
    const end = async (code: number) => {
      if (ending) return;
      ending = true;
      clearTimeout(steady);
      const limit = setTimeout(() => {
        for (const each of processes) each.kill();
      }, GRACE);
      await Promise.all(processes.map((each) => each.stop()));
      clearTimeout(limit);
      done(code);
    };
    const onDeath = (name: string, { how, again }: Death) => {
      say(`${name} died (${how})${again === undefined ? "" : `; it is started again in ${again / 1000} s`}`);
      if (again === undefined) void end(1);
    };
    const onRestart = (name: string, pid: number | undefined) => say(`${name} runs again, pid ${pid}`);
    const watcher = { onLine: () => {}, onDeath, onRestart };
    const processes = order.version.targets.map(
      (target) =>
        new Supervised({ name: target, args: serverArgs(order, target), logFile: path }, watcher, log),
    );
    const steady = setTimeout(() => {
      for (const each of processes) each.keepAlive();
    }, STEADY);
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end(0));
  });
}

function serverArgs({ color, version }: Order, target: string): string[] {
  const { host, port } = addressOf(target);
  const given = { host, port: String(port), color, model: version.artifact! };
  return [version.server!, ...Object.entries(given).flatMap(([flag, value]) => [`--${flag}`, value])];
}
