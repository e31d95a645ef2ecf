import { setTimeout as pause } from "node:timers/promises";
import { isLoopback } from "../../../config/address.ts";
import type { Address } from "../../../config/config.ts";
import { targetAddress } from "../../../core/target-address.ts";
import { CliError } from "../../errors.ts";
import { freePort } from "../../up/ports.ts";

/** Where a target's process has to listen. */
export function addressOf(target: string): Address {
  const { host, port } = targetAddress(target);
  return { host, port };
}

/** @throws CliError a target is on another machine, where no process can be started from here */
export function mustBeLocal(color: string, targets: readonly string[]): void {
  const far = targets.find((target) => !isLoopback(addressOf(target).host));
  if (far === undefined) return;
  throw new CliError(
    `the router's target for ${color} is ${far}, which is not on this machine's loopback, so no process can be started for it; choose a port here with --port, or deploy an image with --image.`,
  );
}

/** A target on a port that nothing listens on. */
export async function freeTarget(): Promise<string> {
  const port = await freePort({ host: "127.0.0.1", port: 0 }, { name: "the new version", option: "--port" });
  return `http://127.0.0.1:${port}`;
}

/** Waits until nothing listens there. @throws CliError after `patience` milliseconds something still does */
export async function untilFree(color: string, targets: readonly string[], patience: number): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      for (const target of targets) await freePort(addressOf(target), { name: color, option: "--port" });
      return;
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await pause(100);
    }
  }
}
