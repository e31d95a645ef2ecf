import { SingleBar } from "cli-progress";
import { formatShare } from "../format.ts";
import type { Tally } from "./tally.ts";

/** Where a run tells how it goes. */
export interface Progress {
  update(all: Tally, colors: ReadonlyMap<string, Tally>): void;
  end(): void;
}

/** Milliseconds between two plain lines. */
const PAUSE = 5000;

/** A bar on a terminal; elsewhere a line now and then. @param total requests; undefined: nobody knows */
export function progressOn(stream: NodeJS.WriteStream, total: number | undefined): Progress {
  return stream.isTTY ? bar(stream, total) : lines(stream);
}

function bar(stream: NodeJS.WriteStream, total: number | undefined): Progress {
  const known = "[{bar}] {percentage}% | {value} of {total} requests | {eta_formatted} left | {text}";
  const single = new SingleBar({
    stream,
    format: total === undefined ? "{value} requests | {text}" : known,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
    fps: 5,
  });
  single.start(total ?? 0, 0, { text: "" });
  return {
    update: (all, colors) => single.update(all.requests, { text: textOf(all, colors) }),
    end: () => single.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  let next = performance.now() + PAUSE;
  return {
    update: (all, colors) => {
      if (performance.now() < next) return;
      next = performance.now() + PAUSE;
      stream.write(`${all.requests} requests, ${textOf(all, colors)}\n`);
    },
    end: () => {},
  };
}

function textOf(all: Tally, colors: ReadonlyMap<string, Tally>): string {
  const shares = [...colors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { requests }]) => `${name} ${formatShare(requests / all.requests)}`);
  return [`${all.failed} failed`, ...shares].join(", ");
}
