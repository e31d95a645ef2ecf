import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findCompose } from "../../../../scripts/docker/engine.ts";
import { rootPath } from "./child.ts";
import { docker, type Inspected, inspect, PROJECT, removeProjects, untilHealthy } from "./docker.ts";

const run = promisify(execFile);
let projects = 0;
const open = new Set<ComposeProject>();

/** A copy of the files that a clone of this working tree would have: no node_modules, nothing trained, no secrets. */
export function cleanCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-clean-"));
  const listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const files = execFileSync("git", listed, { cwd: rootPath(""), encoding: "utf8" }).split("\0");
  for (const file of files.filter((name) => name !== "")) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    try {
      copyFileSync(rootPath(file), join(folder, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // deleted, and not yet committed
    }
  }
  return folder;
}

/** This run's images, as the variables that compose.yaml reads. */
export function imageVariables(prefix: string): Record<string, string> {
  return {
    SLUICE_ROUTER_IMAGE: `${prefix}sluice-router:latest`,
    SLUICE_BLUE_IMAGE: `${prefix}sluice-api:1.0.0`,
    SLUICE_GREEN_IMAGE: `${prefix}sluice-api:1.0.1`,
  };
}

/**
 * A compose project of its own, in a clean copy of this working tree, on ports of the engine's choice. `env` adds to what
 * compose is given. To be ended with `down`, or by `endProjects`.
 */
export class ComposeProject {
  readonly name: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv = {}) {
    projects += 1;
    this.name = `${PROJECT}${process.pid}-${projects}`;
    this.folder = cleanCopy();
    const ports = { SLUICE_PORT: "127.0.0.1:0", SLUICE_ADMIN_PORT: "0", SLUICE_PROMETHEUS_PORT: "0" };
    this.env = { ...process.env, ...ports, COMPOSE_PROJECT_NAME: this.name, ...env };
    open.add(this);
  }

  /** Runs compose in the project's folder. @returns its output, trimmed. Rejects with what it said. */
  async compose(...args: readonly string[]): Promise<string> {
    const [command, ...words] = findCompose()!;
    const options = { cwd: this.folder, env: this.env, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await run(command!, [...words, ...args], options);
    return stdout.trim();
  }

  /** The id of a service's container, running or not. */
  async container(service: string): Promise<string> {
    const labels = [`project=${this.name}`, `service=${service}`];
    const filters = labels.flatMap((label) => ["--filter", `label=com.docker.compose.${label}`]);
    const ids = await docker("ps", "--all", "--quiet", "--no-trunc", ...filters);
    const [id] = ids.split("\n");
    if (!id) throw new Error(`the service ${service} has no container`);
    return id;
  }

  async inspect(service: string): Promise<Inspected> {
    return inspect(await this.container(service));
  }

  async healthy(service: string): Promise<Inspected> {
    return untilHealthy(await this.container(service));
  }

  /** The URL at which this machine reaches a published port. It changes when the container is started again. */
  async url(service: string, port: number): Promise<string> {
    const { NetworkSettings } = await this.inspect(service);
    const [published] = NetworkSettings.Ports[`${port}/tcp`] ?? [];
    if (!published) throw new Error(`port ${port} of ${service} is not published`);
    return `http://127.0.0.1:${published.HostPort}`;
  }

  /** The admin token, which the service `secrets` has made. Read by a container, since it is not everybody's to read. */
  async token(): Promise<string> {
    const code = 'process.stdout.write(require("fs").readFileSync("/run/secrets/admin-token"))';
    return (await docker("exec", await this.container("router"), "node", "-e", code)).trim();
  }

  /** Calls the admin API with its token. */
  async admin(method: string, path: string, body?: unknown): Promise<Response> {
    const headers = {
      Authorization: `Bearer ${await this.token()}`,
      "Content-Type": "application/json",
      Connection: "close",
    };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`${await this.url("router", 9900)}${path}`, { method, headers, ...init });
  }

  /** Removes containers, networks, volumes and the folder. */
  async down(): Promise<void> {
    open.delete(this);
    try {
      await removeProjects((project) => project === this.name);
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** For `afterAll`: ends every project that the test file began. */
export async function endProjects(): Promise<void> {
  for (const project of [...open]) await project.down();
}
