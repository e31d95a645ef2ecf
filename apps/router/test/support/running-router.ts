import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { Child } from "./child.ts";
import { refusedPort } from "./upstream.ts";

export interface RunningRouter {
  readonly child: Child;
  readonly url: string;
  readonly admin: string;
  readonly folder: string;
  readonly configPath: string;
}

/** A new empty folder under the system's temporary one. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "sluice-"));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Writes a configuration that differs from the defaults by `config`, on free ports, and starts `sluice serve`. */
export async function startRouter(
  config: Record<string, unknown>,
  folder = temporaryFolder(),
  env: NodeJS.ProcessEnv = {},
): Promise<RunningRouter> {
  const listen = `127.0.0.1:${await refusedPort()}`;
  const adminListen = `127.0.0.1:${await refusedPort()}`;
  const configPath = join(folder, "sluice.yaml");
  const whole = { listen, admin: { listen: adminListen }, state: join(folder, "state"), ...config };
  writeFileSync(configPath, stringify(whole));
  return restartRouter({ url: `http://${listen}`, admin: `http://${adminListen}`, folder, configPath }, env);
}

/** Starts the router of an earlier {@link startRouter} again, on its ports and its state. */
export async function restartRouter(
  router: Omit<RunningRouter, "child">,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningRouter> {
  const args = ["serve", "--config", router.configPath];
  const child = Child.node("apps/router/bin/sluice.js", args, { env });
  await untilAnswers(`${router.admin}/healthz`, child);
  return { ...router, child };
}

/** Waits until a URL answers 2xx; rejects when the process behind it ends first. */
export async function untilAnswers(url: string, child: Child): Promise<void> {
  for (;;) {
    if (!child.running) throw new Error(`the process ended before ${url} answered:\n${child.output}`);
    const ok = await fetch(url).then(
      (answer) => answer.arrayBuffer().then(() => answer.ok),
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Posts to the admin API; resolves with status and JSON body. */
export async function post(
  router: Pick<RunningRouter, "admin">,
  path: string,
  body: unknown = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${router.admin}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** Waits until the router says that every target of the color has this health. */
export async function untilHealth(router: RunningRouter, color: string, health: string): Promise<void> {
  for (;;) {
    const state = (await (await fetch(`${router.admin}/admin/state`)).json()) as {
      colors: { name: string; targets: { health: string }[] }[];
    };
    const targets = state.colors.find(({ name }) => name === color)?.targets ?? [];
    if (targets.length > 0 && targets.every((target) => target.health === health)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (health === "up") await untilServing(router);
}

/** The clients' port opens a moment after the first verdicts. A router that will not be ready is left as it is after 5 s. */
async function untilServing({ admin }: RunningRouter): Promise<void> {
  for (let i = 0; i < 250; i++) {
    if ((await fetch(`${admin}/readyz`)).ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
