import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs `docker` with these words. @returns its output, trimmed. Rejects with what it said on standard error. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("docker", [...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** What `docker inspect` knows of a container, as far as tests ask for it. */
export interface Inspected {
  readonly Id: string;
  readonly RestartCount: number;
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly ExitCode: number;
    readonly Pid: number;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: {
      readonly Status: string;
      readonly Log: readonly { readonly Output: string }[] | null;
    };
  };
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Memory: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number | null;
    readonly RestartPolicy: { readonly Name: string };
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

export async function inspect(container: string): Promise<Inspected> {
  return JSON.parse(await docker("container", "inspect", container))[0];
}

/** Resolves with the first inspection that the condition holds for; the test's time-out is the bound. */
export async function untilContainer(
  container: string,
  condition: (found: Inspected) => boolean,
): Promise<Inspected> {
  for (;;) {
    const found = await inspect(container);
    if (condition(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Resolves once the container is healthy; rejects with its last lines when it ends or turns unhealthy first. */
export async function untilHealthy(container: string): Promise<Inspected> {
  const found = await untilContainer(
    container,
    ({ State }) => !State.Running || /^(healthy|unhealthy)$/.test(State.Health?.Status ?? "healthy"),
  );
  if (found.State.Running && found.State.Health?.Status !== "unhealthy") return found;
  const log = found.State.Health?.Log?.at(-1)?.Output ?? "";
  throw new Error(`${container} is ${found.State.Status}, not healthy: ${log}${await logs(container)}`);
}

/** What the container wrote, both streams. */
export async function logs(container: string): Promise<string> {
  const { stdout, stderr } = await run("docker", ["logs", "--tail", "200", container]);
  return stdout + stderr;
}

/**
 * Kills a container's process from outside, as the kernel does for want of memory: after `docker kill` the restart policy
 * would not act. By a container that sees the host's processes, so that whoever may use Docker can run it.
 */
export async function killFromOutside(container: string): Promise<void> {
  const { State } = await inspect(container);
  const kill = `process.kill(${State.Pid}, "SIGKILL")`;
  await docker("run", "--rm", "--pid", "host", "--user", "0", "node:24-bookworm-slim", "node", "-e", kill);
}

/** The word that all names of compose projects of tests begin with; the process that made them follows. */
export const PROJECT = "sluicetest";

const LABEL = "com.docker.compose.project";

/** Removes containers, networks and volumes of the projects that are chosen by their names. */
export async function removeProjects(chosen: (project: string) => boolean): Promise<void> {
  const kinds = [
    { list: ["ps", "--all"], name: "{{.ID}}", remove: ["rm", "--force", "--volumes"] },
    { list: ["network", "ls"], name: "{{.ID}}", remove: ["network", "rm"] },
    { list: ["volume", "ls"], name: "{{.Name}}", remove: ["volume", "rm"] },
  ];
  for (const { list, name, remove } of kinds) {
    const format = `${name} {{.Label "${LABEL}"}}`;
    const lines = (await docker(...list, "--filter", `label=${LABEL}`, "--format", format)).split("\n");
    const pairs = lines.map((line) => line.split(" ")).filter(([, project]) => project && chosen(project));
    if (pairs.length > 0) await docker(...remove, ...pairs.map(([each]) => each!));
  }
}

/** Removes what earlier runs that were killed left behind: their projects and the names of their images. */
export async function sweep(): Promise<void> {
  await removeProjects((project) => isGone(new RegExp(`^${PROJECT}(\\d+)-`).exec(project)?.[1]));
  const names = (await docker("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n");
  const dead = names.filter((name) => isGone(/^sluice-test-(\d+)\//.exec(name)?.[1]));
  if (dead.length > 0) await docker("rmi", "--force", "--no-prune", ...dead);
}

/** Whether a process of this number is no more. */
function isGone(pid: string | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
