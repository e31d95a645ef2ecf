import { CliError } from "../errors.ts";

/** Exit codes of a process that a signal ended, as shells count them. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptOnSignals(): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(CODES[name as keyof typeof CODES]);
    controller.abort(new CliError(`it was interrupted by ${name}`));
  };
  const names = Object.keys(CODES) as NodeJS.Signals[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    forget: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
