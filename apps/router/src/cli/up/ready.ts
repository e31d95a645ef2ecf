import { setTimeout as pause } from "node:timers/promises";
import { formatAddress } from "../../config/address.ts";
import type { Address } from "../../config/config.ts";
import { CliError } from "../errors.ts";

const LONGEST = 60_000;
const STEP = 100;

/** An address as this machine reaches it: every address is also the loopback one. */
export function localUrl({ host, port }: Address): string {
  const near = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${formatAddress({ host: near, port })}`;
}

/** Resolves when the URL answers 2xx. @throws CliError after a minute, or what `signal` was aborted with */
export async function untilReady(name: string, url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + LONGEST;
  while (performance.now() < deadline) {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) }).catch(
      () => undefined,
    );
    await response?.body?.cancel();
    signal.throwIfAborted();
    if (response?.ok) return;
    await pause(STEP, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  throw new CliError(`${name} is not ready after ${LONGEST / 1000} s (${url}); its log may say why.`);
}
