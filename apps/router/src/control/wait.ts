import type { Clock } from "../core/clock.ts";
import type { Snapshot } from "../core/snapshot.ts";
import type { ReportBook } from "./report-book.ts";

/**
 * How long an answer waits for workers to serve by a new snapshot, in milliseconds: until one that does not within 5 s
 * has been replaced.
 */
export const ACKNOWLEDGE_TIMEOUT = 15_000;
/** Workers are asked again this often, should one die or be replaced while a command waits. */
const ASK_AGAIN = 250;

export interface WaitOptions {
  readonly book: ReportBook;
  readonly clock: Clock;
  /** Aborted when the client goes away: nothing is waited for any more. */
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Resolves with true once every worker serves by this epoch or a later one, with false when time is up. */
export function acknowledged(epoch: number, options: WaitOptions): Promise<boolean> {
  return until(() => options.book.acknowledged(epoch), options);
}

export interface Drained {
  readonly drained: boolean;
  /** What is still in flight, by color without weight. */
  readonly in_flight: Readonly<Record<string, number>>;
  /** The same of tunnels, where they are waited for. */
  readonly tunnels?: Readonly<Record<string, number>>;
}

export interface DrainOptions extends WaitOptions {
  /** Of all colors, not of those without weight alone. */
  readonly all?: boolean;
  /** Tunnels and event streams are waited for, too. */
  readonly tunnels?: boolean;
}

/** Waits until every worker serves by the snapshot and its colors without weight have nothing in flight. */
export async function drained(snapshot: Snapshot, options: DrainOptions): Promise<Drained> {
  const { book, all = false, tunnels = false } = options;
  const emptied = snapshot.colors.filter(({ share }) => all || share === 0).map(({ name }) => name);
  const left = () => ({
    in_flight: book.inFlight(emptied),
    ...(tunnels ? { tunnels: book.tunnels(emptied) } : {}),
  });
  const isEmpty = () => Object.values(left()).every((counts) => Object.values(counts).every((n) => n === 0));
  const done = await until(() => book.acknowledged(snapshot.epoch) && isEmpty(), options);
  return { drained: done, ...left() };
}

/** Looks at every report, and asks for reports now and then. Leaves nothing behind, however it ends. */
function until(holds: () => boolean, { book, clock, signal, timeout }: WaitOptions): Promise<boolean> {
  return new Promise((resolve) => {
    let cancelAsk = () => {};
    const end = () => {
      forget();
      cancelAsk();
      cancelTimeout();
      signal.removeEventListener("abort", end);
      resolve(holds());
    };
    const look = () => {
      if (holds()) end();
    };
    const ask = async () => {
      cancelAsk = clock.after(ASK_AGAIN, ask);
      await book.refresh().catch(() => {}); // a worker that is gone says so by its absence, the next time
      look();
    };
    const forget = book.onReport(look);
    const cancelTimeout = clock.after(timeout, end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    else void ask();
  });
}
