import { SingleBar } from "cli-progress";

/** Where a run tells how it goes. */
export interface Reporter {
  /** One plain line. */
  line(text: string): void;
  /** Bytes read of all bytes. */
  progress(done: number, total: number): void;
}

export const silent: Reporter = { line() {}, progress() {} };

/** A bar on a terminal while the file is read; elsewhere lines only. */
export function reporterFor(stream: NodeJS.WriteStream): Reporter {
  const line = (text: string) => void stream.write(`${text}\n`);
  return stream.isTTY ? { line, progress: barOn(stream) } : { line, progress() {} };
}

function barOn(stream: NodeJS.WriteStream): Reporter["progress"] {
  const format = "reading [{bar}] {percentage}% | {eta} s left";
  const bar = new SingleBar({ stream, format, clearOnComplete: true, hideCursor: true, barsize: 40 });
  let started = false;
  return (done, total) => {
    if (!started) bar.start(total, 0);
    started = true;
    bar.update(done);
    if (done >= total) bar.stop();
  };
}
