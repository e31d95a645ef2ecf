import { CliError } from "../errors.ts";

/** Exit codes of a process that a signal ended, as shells count them. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Name = keyof typeof CODES;

/**
 * Milliseconds within which the same signal is the same press of the keys: under `npm exec` a Ctrl-C comes twice, from the
 * terminal and from npm.
 */
const SAME_PRESS = 500;

/**
 * Aborted by the first SIGINT, SIGTERM or SIGHUP. The same one again ends the process at once; another one does not, because
 * pipelines send SIGTERM after SIGINT by themselves.
 */
export function interruptOnSignals(): AbortSignal {
  const controller = new AbortController();
  let first: { name: Name; at: number } | undefined;
  const onSignal = (name: Name) => {
    if (first?.name === name && performance.now() - first.at >= SAME_PRESS) process.exit(CODES[name]);
    first ??= { name, at: performance.now() };
    controller.abort(new CliError(`it was interrupted by ${name}`));
  };
  for (const name of Object.keys(CODES) as Name[]) process.on(name, () => onSignal(name));
  return controller.signal;
}
