import { setTimeout as pause } from "node:timers/promises";
import { SAMPLE_TRIP } from "../predict.ts";
import { verifyOutside } from "./check/outside.ts";
import type { Deployment } from "./deployment.ts";
import { colorOf, soleColor } from "./router.ts";
import { CannotGoBack } from "./runner.ts";

/** A router that is just being started again is asked this often, this many milliseconds apart. */
const TRIES = 10;
const APART = 1000;

/**
 * Gives all requests back to the old color, and verifies from outside that it answers them. Does nothing while the new one
 * has no weight.
 * @throws CannotGoBack the new color may still serve, so it must not be stopped
 */
export async function goBack(deploy: Deployment, note: (text: string) => void): Promise<void> {
  const { router, settings, old, color } = deploy;
  const state = await insist(() => router.state()).catch((error: Error) => {
    throw new CannotGoBack(`the router could not be asked to go back: ${error.message}`);
  });
  if (colorOf(state, color).weight === 0) return;
  const answer = await insist(() => router.rollback(`${settings.reason}: rolled back`)).catch(
    (error: Error) => {
      throw new CannotGoBack(`the router did not go back to ${old.color}: ${error.message}`);
    },
  );
  note(`all requests go to ${old.color} again${answer.saved === false ? ", which is not saved yet" : ""}`);
  const now = soleColor(await router.state())?.name;
  if (now !== old.color)
    throw new CannotGoBack(`the router went back to ${now ?? "several colors"} instead of ${old.color}.`);
  await verifyOld(deploy, note);
}

async function verifyOld({ settings, old, golden }: Deployment, note: (text: string) => void): Promise<void> {
  if (!old.healthy) return note(`nothing answered on ${old.color} before, so nothing is verified`);
  const { url, requests } = settings;
  const rows = golden ?? [{ trip: SAMPLE_TRIP, fare_amount: 0 }];
  const outside = { url, requests, color: old.color, digest: old.digest ?? undefined, rows, compare: false };
  await verifyOutside(outside, new AbortController().signal).catch((error: Error) => {
    throw new CannotGoBack(`${old.color} does not answer as before: ${error.message}`);
  });
  note(`${requests} requests from outside were answered by ${old.color}`);
}

async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left--) {
    try {
      return await call();
    } catch (error) {
      if (left <= 1) throw error;
      await pause(APART);
    }
  }
}
