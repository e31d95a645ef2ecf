import type { GoldenRow } from "../../../checks/golden.ts";
import { CliError } from "../../errors.ts";
import { predict } from "./answers.ts";
import { checkGolden } from "./golden.ts";

export interface Outside {
  /** Where clients connect. */
  readonly url: string;
  /** How many requests must be answered. */
  readonly requests: number;
  readonly color: string;
  /** Not compared when nobody knows it. */
  readonly digest: string | undefined;
  /** What is asked for. */
  readonly rows: readonly GoldenRow[];
  /** Whether the rows' fares are those of this version, too. */
  readonly compare: boolean;
}

/**
 * Sends requests as a client does, through the router: each must be answered 200, by the color, with the digest, and, where they
 * are compared, with the golden rows' fares.
 * @throws CliError the first that is not
 */
export async function verifyOutside(
  { url, requests, color, digest, rows, compare }: Outside,
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; i < requests; i++) {
    const row = rows[i % rows.length]!;
    const { value, headers } = await predict(url, [row.trip], signal);
    const nth = `request ${i + 1} of ${requests} through ${url}`;
    const by = headers.get("x-sluice-color");
    if (by !== color) throw new CliError(`${nth} was answered by ${by ?? "no color"}; expected ${color}.`);
    const served = headers.get("x-model-digest");
    if (digest !== undefined && served !== digest)
      throw new CliError(`${nth} was answered by the digest ${served ?? "none"}; expected ${digest}.`);
    if (compare) checkGolden(nth, [row], value, i % rows.length);
  }
}
