import type { Clock } from "../../core/clock.ts";
import type { FeedbackMemory } from "../../core/feedback/memory.ts";
import type { Log } from "../log.ts";
import type { FeedbackJournal } from "./journal.ts";
import { readLine } from "./lines.ts";

export interface RestoreParts {
  readonly journal: FeedbackJournal;
  readonly clock: Clock;
  readonly log: Log;
}

/** Fills an empty memory with what an earlier process wrote down. A disk that cannot be read costs that, and no more. */
export async function restoreMemory(memory: FeedbackMemory, parts: RestoreParts): Promise<void> {
  const { log } = parts;
  try {
    const damaged = await restoreParts(memory, parts);
    if (damaged > 0) log.warn({ lines: damaged }, "Lines of feedback were cut off and are left out.");
    if (memory.size > 0) log.info({ requests: memory.size }, "Remembered for feedback.");
  } catch (error) {
    log.error({ error: String(error) }, "What was remembered for feedback cannot be read.");
  }
}

/** Returns how many lines could not be read. */
async function restoreParts(memory: FeedbackMemory, { journal, clock }: RestoreParts): Promise<number> {
  let damaged = 0;
  const parts = await journal.parts();
  for (const part of parts) {
    memory.begin(part);
    for await (const lines of journal.read(part)) {
      damaged += lines.filter((line) => !restoreLine(memory, line, clock.now())).length;
    }
  }
  memory.begin((parts.at(-1) ?? 0) + 1);
  memory.begin();
  memory.totals.clear();
  const kept = new Set(memory.parts.map(({ number }) => number));
  for (const part of parts) if (!kept.has(part)) await journal.remove(part);
  return damaged;
}

/** False for what is no line. Nothing becomes evidence a second time. */
function restoreLine(memory: FeedbackMemory, line: string, now: number): boolean {
  const entry = readLine(line);
  if (entry === undefined) return false;
  if (entry.kind === "served") memory.note(entry.served, now, entry.trial);
  else if (entry.kind === "copy") {
    const request = memory.noteCopy(entry.served, now);
    if (request) memory.compare(request);
  } else {
    const request = memory.find(entry.id, now);
    if (request && entry.kind === "booked") request.booked = true;
    else if (request && entry.kind === "actual") memory.learn(request, entry.actuals);
  }
  return true;
}
