import { parseRange } from "./parts.ts";
import { checkText, explain, joinParts, statFile, type TripFile } from "./read-trips.ts";

export { InputProblem } from "../problem.ts";
export { totalDropped } from "./clean.ts";
export type { Trips } from "./trips.ts";

/**
 * The same as `readTrips` on this thread alone, for programs that are bundled into one file, and without a digest.
 * @throws InputProblem that says what is wrong with the file
 */
export function readTripsHere(path: string): Promise<Omit<TripFile, "digest">> {
  return explain(path, async () => {
    const { size } = await statFile(path);
    let first = true;
    const part = await parseRange(path, { start: 0, end: size }, undefined, (chunk) => {
      if (first) checkText(path, chunk);
      first = false;
    });
    return joinParts(path, [part]);
  });
}
