import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Child, rootPath } from "./child.ts";
import { type RunningRouter, removeFolder, startRouter } from "./running-router.ts";
import { refusedPort } from "./upstream.ts";

export const ODD = rootPath("apps/router/test/support/odd-model.ts");
export const ARTIFACTS = ["1.0.0", "1.0.1"].map((version) => rootPath(`artifacts/${version}/model.json`)) as [
  string,
  string,
];

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

interface Record {
  readonly serving: string;
  readonly previous: string | null;
  readonly colors: { readonly [color: string]: { readonly version: string; readonly running: boolean } };
}

interface ColorState {
  readonly name: string;
  readonly weight: number;
  readonly targets: readonly { readonly url: string; readonly health: string; readonly digest: string }[];
}

/** A real router before two empty colors, of which blue has all weight, and a deploy folder. */
export class DeployScene {
  readonly router: RunningRouter;
  readonly ports: { readonly blue: number; readonly green: number };
  readonly folder: string;

  private constructor(router: RunningRouter, ports: { blue: number; green: number }) {
    this.router = router;
    this.ports = ports;
    this.folder = join(router.folder, "deploy");
  }

  static async open(weights = { blue: 100, green: 0 }): Promise<DeployScene> {
    const ports = { blue: await refusedPort(), green: await refusedPort() };
    const color = (name: "blue" | "green") => ({
      weight: weights[name],
      targets: [`http://127.0.0.1:${ports[name]}`],
    });
    const router = await startRouter({
      colors: { blue: color("blue"), green: color("green") },
      health: { interval: "100ms", rise: 1 },
      retry: { idempotent_paths: ["/api/predict/"] },
    });
    return new DeployScene(router, ports);
  }

  /** The environment of every command: models that stop quickly, and where everything is. */
  env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return {
      SLUICE_ADMIN: this.router.admin,
      SLUICE_URL: this.router.url,
      SLUICE_DEPLOY_FOLDER: this.folder,
      DRAIN_QUIET: "50ms",
      DRAIN_DELAY: "300ms",
      CI: "1",
      ...more,
    };
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
    return Child.node("apps/router/bin/sluice.js", args, { env: this.env(env), cwd: this.router.folder });
  }

  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    const child = this.start(args, env);
    const code = await child.exited();
    await child.closed();
    return { code, output: child.output };
  }

  /** `sluice deploy` of an artifact, served by the odd model. */
  deploy(artifact: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return this.run(["deploy", "--artifact", artifact, "--server", ODD, ...more], env);
  }

  async colors(): Promise<readonly ColorState[]> {
    const state = await (await fetch(`${this.router.admin}/admin/state`)).json();
    return (state as { colors: ColorState[] }).colors;
  }

  /** The color with all weight. */
  async serving(): Promise<string | undefined> {
    const withWeight = (await this.colors()).filter(({ weight }) => weight > 0);
    return withWeight.length === 1 ? withWeight[0]!.name : undefined;
  }

  record(): Record {
    return JSON.parse(readFileSync(join(this.folder, "deployed.json"), "utf8"));
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** The keeper's process number, of a color that a deploy has started. */
  keeper(color: string): number | undefined {
    const path = join(this.folder, `${color}.process.json`);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).pid : undefined;
  }

  /** True when something listens on the color's port. */
  async listens(color: "blue" | "green"): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.ports[color]}/`).then(
      (answer) => answer.arrayBuffer().then(() => true),
      () => false,
    );
  }

  /** Ends what deploys have left running. */
  async close(): Promise<void> {
    for (const color of ["blue", "green"] as const) {
      const pid = this.keeper(color);
      if (pid === undefined) continue;
      try {
        process.kill(pid, "SIGTERM");
      } catch {} // it has ended by itself
      while (await this.listens(color)) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await this.router.child.kill();
    removeFolder(this.router.folder);
  }
}
