import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../../errors.ts";
import { type Ran, run, succeed } from "./command.ts";

/** Milliseconds that pulling an image may take. */
const PULL = 30 * 60_000;

export interface ImageFacts {
  readonly id: string;
  /** By the image's labels; undefined where it has none. */
  readonly version: string | undefined;
  readonly digest: string | undefined;
}

export interface ContainerFacts {
  readonly id: string;
  /** The image's ID. */
  readonly image: string;
  /** The image as it was named when the container was made. */
  readonly ref: string;
  /** `running`, `exited`, `restarting`, … */
  readonly status: string;
  readonly exitCode: number;
  readonly restarts: number;
  /** What its HEALTHCHECK says; undefined when it has none. */
  readonly health: string | undefined;
  /** Where this machine reaches the API's port. */
  readonly published: readonly { readonly host: string; readonly port: number }[];
}

interface Inspected {
  readonly Image: string;
  readonly Config: { readonly Image: string };
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;
  };
}

/** The port that the API listens on in its container. */
export const CONTAINER_PORT = 8000;

export const LABELS = { version: "ai.sluice.model.version", digest: "ai.sluice.model.digest" } as const;

/** Docker and Compose on this machine, as v2's `docker compose` or as docker-compose 1.29, whichever is there. */
export class Compose {
  readonly file: string;
  readonly #program: readonly [string, ...string[]];

  private constructor(file: string, program: readonly [string, ...string[]]) {
    this.file = file;
    this.#program = program;
  }

  /** @throws CliError no compose file, no Compose, or no engine that answers */
  static async open(path: string): Promise<Compose> {
    const file = resolve(path);
    if (!existsSync(file)) {
      throw new CliError(
        `there is no ${file}; name the compose file with --file, or deploy with --artifact.`,
      );
    }
    const engine = await run("docker", ["version", "--format", "{{.Server.Version}}"]).catch(() => undefined);
    if (engine === undefined) throw new CliError("there is no `docker` on this machine's PATH.");
    if (engine.code !== 0) {
      throw new CliError(`the Docker engine does not answer: ${engine.stderr.trim().split("\n").at(-1)}`);
    }
    return new Compose(file, await findCompose());
  }

  /** Where Compose reads what is deployed. */
  get envFile(): string {
    return join(dirname(this.file), ".env");
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}, signal?: AbortSignal): Promise<string> {
    const [program, ...first] = this.#program;
    return succeed(program, [...first, "--file", this.file, ...args], {
      cwd: dirname(this.file),
      env: { ...process.env, ...env },
      ...(signal ? { signal } : {}),
    });
  }

  /** The ID of the service's container, running or not. */
  async find(service: string): Promise<string | undefined> {
    const ids = await this.run(["ps", "--all", "--quiet", service]);
    return ids.split("\n")[0] || undefined;
  }

  /** What the engine knows of a container; undefined when it is gone. */
  async container(id: string): Promise<ContainerFacts | undefined> {
    const { code, stdout } = await run("docker", ["container", "inspect", id]);
    if (code !== 0) return undefined;
    const [{ Image, Config, State, RestartCount, NetworkSettings }] = JSON.parse(stdout) as [Inspected];
    const ports = NetworkSettings.Ports[`${CONTAINER_PORT}/tcp`] ?? [];
    return {
      id,
      image: Image,
      ref: Config.Image,
      status: State.Status,
      exitCode: State.ExitCode,
      restarts: RestartCount,
      health: State.Health?.Status,
      published: ports.map(({ HostIp, HostPort }) => ({ host: HostIp, port: Number(HostPort) })),
    };
  }

  /** Undefined when the image is not on this machine. */
  async image(ref: string): Promise<ImageFacts | undefined> {
    const { code, stdout } = await run("docker", ["image", "inspect", ref]);
    if (code !== 0) return undefined;
    const [{ Id, Config }] = JSON.parse(stdout) as [
      { Id: string; Config?: { Labels?: Record<string, string> } },
    ];
    const labels = Config?.Labels ?? {};
    return {
      id: Id,
      version: labels[LABELS.version] || undefined,
      digest: labels[LABELS.digest] || undefined,
    };
  }

  pull(ref: string, signal: AbortSignal): Promise<Ran> {
    return run("docker", ["pull", "--quiet", ref], { signal, timeout: PULL });
  }

  async logs(id: string, count: number): Promise<readonly string[]> {
    const { stdout, stderr } = await run("docker", ["logs", "--tail", String(count), id]);
    return `${stdout}${stderr}`.trimEnd().split("\n").filter(Boolean).slice(-count);
  }
}

async function findCompose(): Promise<readonly [string, ...string[]]> {
  for (const program of [["docker", "compose"], ["docker-compose"]] as const) {
    const [name, ...rest] = program;
    const ran = await run(name, [...rest, "version"]).catch(() => undefined);
    if (ran?.code === 0) return program;
  }
  throw new CliError(
    "there is no Compose on this machine: neither `docker compose` nor `docker-compose` runs.",
  );
}
