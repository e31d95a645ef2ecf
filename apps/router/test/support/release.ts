import { Child } from "./child.ts";
import { post, type RunningRouter, startRouter, untilAnswers, untilHealth } from "./running-router.ts";
import { refusedPort } from "./upstream.ts";

export const PREDICT = "/api/predict/";

/** A version of the model service for a test: the real API on an artifact, with the faults that `variant.ts` offers. */
export interface Version {
  readonly release: string;
  readonly artifact?: "1.0.0" | "1.0.1";
  readonly faults?: Readonly<Record<string, string | number>>;
}

export interface Rollout {
  readonly id: string;
  readonly phase: string;
  readonly log: readonly { readonly event: string; readonly reason: string }[];
  readonly [key: string]: unknown;
}

/** A router with all weight on blue and a candidate on green, each a process of its own. */
export class Release {
  readonly router: RunningRouter;

  private constructor(router: RunningRouter) {
    this.router = router;
  }

  static async begin(
    stable: Version,
    candidate: Version,
    config: Record<string, unknown>,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Release> {
    const ports = { blue: await refusedPort(), green: await refusedPort() };
    await Promise.all([serveModel("blue", ports.blue, stable), serveModel("green", ports.green, candidate)]);
    const target = (port: number) => [`http://127.0.0.1:${port}`];
    const router = await startRouter(
      {
        colors: {
          blue: { weight: 100, targets: target(ports.blue) },
          green: { weight: 0, targets: target(ports.green) },
        },
        health: { interval: "500ms" },
        retry: { idempotent_paths: [PREDICT] },
        ...config,
      },
      undefined,
      env,
    );
    for (const color of ["blue", "green"]) await untilHealth(router, color, "up");
    return new Release(router);
  }

  /** Starts a rollout of green. */
  async roll(plan: Record<string, unknown>): Promise<void> {
    const { status, body } = await post(this.router, "/admin/rollouts", { candidate: "green", ...plan });
    if (status !== 200) throw new Error(`the rollout was refused (${status}): ${JSON.stringify(body)}`);
  }

  async rollout(): Promise<Rollout> {
    return (await (await fetch(`${this.router.admin}/admin/rollouts/current`)).json()) as Rollout;
  }

  /** Resolves with the rollout once nothing more happens to it, or once `stop` says that nothing more will. */
  async over(stop: () => boolean = () => false): Promise<Rollout> {
    for (;;) {
      const rollout = await this.rollout();
      if (rollout.over === true || stop()) return rollout;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function serveModel(
  color: string,
  port: number,
  { release, artifact = "1.0.0", faults = {} }: Version,
): Promise<void> {
  const child = Child.node("apps/model-api/test/support/variant.ts", [
    ...["--port", String(port), "--color", color, "--release", release],
    ...["--model", `artifacts/${artifact}/model.json`],
    ...Object.entries(faults).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]);
  await untilAnswers(`http://127.0.0.1:${port}/health/ready`, child);
}
