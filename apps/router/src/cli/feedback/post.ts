import { setTimeout } from "node:timers/promises";
import { type AdminClient, RefusedError } from "../admin-client.ts";

/** Items of one call. */
export const BATCH = 500;
/** How often a router is asked again whose place another program takes, and milliseconds in between. */
const REPETITIONS = 10;
const PAUSE = 1000;

/** What a router has made of the items of one call. */
export interface Posted {
  /** Items with something new. */
  readonly accepted: number;
  /** Items of which all was known. */
  readonly repeated: number;
  /** Items whose request is not remembered. */
  readonly unknown: number;
  readonly saved?: false;
}

/** Posts items to the router, which takes all or none. @throws CliError why not */
export async function postFeedback(admin: AdminClient, items: readonly object[]): Promise<Posted> {
  const call = { method: "POST", body: { feedback: items } } as const;
  for (let left = REPETITIONS; ; left--) {
    try {
      const posted = await admin.call<Partial<Posted>>("/feedback", call);
      return { accepted: 0, repeated: 0, unknown: 0, ...posted };
    } catch (error) {
      if (left === 0 || !(error instanceof RefusedError) || error.status !== 503) throw error;
      await setTimeout(PAUSE); // an upgrade, which takes a moment
    }
  }
}
