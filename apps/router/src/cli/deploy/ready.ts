import { CliError } from "../errors.ts";
import { fetchTarget } from "./check/fetch-target.ts";
import { colorOf, type RouterControl } from "./router.ts";
import type { Slot } from "./slot.ts";
import { describeHealth } from "./switch.ts";
import { until } from "./until.ts";

interface Patient {
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Milliseconds that one health check may take. */
const CHECK = 2_000;

/**
 * Waits until what runs in a slot says that it is ready, asked without the router, but by the protocol of its targets.
 * @throws CliError it ends, or time is up
 */
export async function untilReady(
  slot: Slot,
  targets: readonly string[],
  { signal, timeout }: Patient,
): Promise<void> {
  let seen = "nothing was seen of it";
  const look = async () => {
    const sound = await slot.sound();
    const endpoints = await slot.endpoints(targets).catch(async (error: Error) => {
      await slot.sound(); // says it better when it has just ended
      seen = error.message;
      return [];
    });
    const answers = await Promise.all(endpoints.map((base) => isReady(base, signal)));
    const not = answers.find((each) => each !== undefined);
    if (not !== undefined) seen = not;
    else if (!sound) seen = "its health check has not passed yet";
    return sound && endpoints.length > 0 && not === undefined ? true : undefined;
  };
  const late = () => `${slot.color} is not ready after ${timeout / 1000} s (${seen}).`;
  await until(look, late, { signal, timeout, every: 100 });
}

/** Undefined when it is ready, else what it says. */
async function isReady(base: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const url = `${base}/health/ready`;
    const response = await fetchTarget(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(CHECK)]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `${url} answers ${response.status}`;
  } catch (error) {
    const { name, cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    return `${base} has no answer: ${name === "TimeoutError" ? "time-out" : (cause?.code ?? message)}`;
  }
}

/** Waits until the router itself would send requests to every target of a color. @throws CliError time is up */
export async function untilSeen(
  router: RouterControl,
  color: string,
  { signal, timeout }: Patient,
): Promise<void> {
  let seen = "";
  const look = async () => {
    const found = colorOf(await router.state(signal), color);
    seen = describeHealth(found);
    return found.targets.length > 0 && found.targets.every(({ health }) => health === "up")
      ? true
      : undefined;
  };
  const late = () => `the router does not see ${color} healthy after ${timeout / 1000} s (${seen}).`;
  await until(look, late, { signal, timeout, every: 100 });
}

/** Waits until a color without weight has nothing in flight, and no tunnel; false when time is up. */
export async function untilIdle(router: RouterControl, color: string, patient: Patient): Promise<boolean> {
  const look = async () => {
    const { in_flight = 0, tunnels = 0 } = colorOf(await router.state(patient.signal), color);
    return in_flight + tunnels > 0 ? undefined : true;
  };
  return until(look, () => "", patient).catch((error) => {
    patient.signal.throwIfAborted();
    if (error instanceof CliError && error.message === "") return false;
    throw error;
  });
}
