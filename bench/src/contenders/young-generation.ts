// Preloaded into a program (`node --import`), keeps in the file $BENCH_YOUNG how large V8's young generation has been at most,
// in MiB. V8 lets it grow to a limit as it sees fit, and does not give all of it back: a step that is no leak.
import { renameSync, writeFileSync } from "node:fs";
import { getHeapSpaceStatistics } from "node:v8";

const file = process.env.BENCH_YOUNG;
let most = 0;

function look(path: string): void {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  const now = (space?.physical_space_size ?? 0) / 2 ** 20;
  if (now <= most) return;
  most = now;
  writeFileSync(`${path}.new`, now.toFixed(1));
  renameSync(`${path}.new`, path);
}

if (file !== undefined) {
  look(file);
  setInterval(look, 100, file).unref();
}
