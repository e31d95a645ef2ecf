import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootPath } from "./child.ts";
import type { RunningRouter } from "./running-router.ts";
import { isAlive, until } from "./workers.ts";

export interface Program {
  readonly version: string;
  readonly pid: number;
}

export interface RouterState extends Program {
  readonly epoch: number;
  readonly revision: number;
  readonly weights: Readonly<Record<string, number>>;
}

type Admin = Pick<RunningRouter, "admin">;

export async function stateOf({ admin }: Admin): Promise<RouterState> {
  return (await (await fetch(`${admin}/admin/state`)).json()) as RouterState;
}

export interface UpgradeAnswer {
  readonly status: number;
  readonly from: Program;
  readonly to: Program;
  /** Why not, where it failed. */
  readonly detail: string;
}

export async function upgrade({ admin }: Admin, timeout = "60s"): Promise<UpgradeAnswer> {
  const answer = await fetch(`${admin}/admin/upgrade?timeout=${timeout}`, { method: "POST" });
  return { status: answer.status, ...((await answer.json()) as Omit<UpgradeAnswer, "status">) };
}

/** For `afterEach`: ends whatever process answers there, also one that the test knows nothing of. */
export async function endRouter(router: Admin): Promise<void> {
  for (;;) {
    const pid = await stateOf(router).then(
      (state) => state.pid,
      () => undefined,
    );
    if (pid === undefined || pid === 1) return; // process 1 of a namespace ends with whoever made it
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid));
  }
}

/** The built program in a folder of its own, where it can be replaced; resolves with the path of its command. */
export function installProgram(folder: string, version: string): string {
  const program = join(folder, "program");
  cpSync(rootPath("apps/router/dist"), program, { recursive: true });
  setVersion(program, version);
  return join(program, "sluice.js");
}

/** Installs another version over the first. */
export function setVersion(program: string, version: string): void {
  for (const name of readdirSync(program)) {
    if (!name.endsWith(".js")) continue;
    const path = join(program, name);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/(name: "@sluice\/router",\s+version: )"[^"]*"/, `$1"${version}"`));
  }
}
