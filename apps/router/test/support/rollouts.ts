import { Agent, request } from "node:http";
import { Child } from "./child.ts";
import { ARTIFACTS } from "./deploys.ts";
import { post, type RunningRouter, startRouter, untilAnswers, untilHealth } from "./running-router.ts";
import { TRIP } from "./trips.ts";
import { refusedPort } from "./upstream.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there
type Json = any;

const VARIANT = "apps/model-api/test/support/variant.ts";

/** A plan of a few seconds. */
export const QUICK = {
  candidate: "green",
  steps: [25, 50],
  step_min: "100ms",
  step_requests: 100,
  bake: "200ms",
  warm_up: "100ms",
  guards: ["errors", "rejected"],
};

/** A real router before a stable model API and a candidate that may have a fault. */
export class RolloutScene {
  router: RunningRouter;
  readonly #models: Models;

  private constructor(router: RunningRouter, models: Models) {
    this.router = router;
    this.#models = models;
  }

  /**
   * @param fault options of the candidate, such as `--fails .03`
   * @param artifact the candidate's model; by default the stable color's, under another version
   */
  static async open(
    fault: readonly string[] = [],
    config: object = {},
    artifact = ARTIFACTS[0],
  ): Promise<RolloutScene> {
    const blue = await startModel("blue", await refusedPort(), "1.0.0");
    const green = await startModel("green", await refusedPort(), "1.0.1", fault, artifact);
    const color = ({ port }: Model, weight: number) => ({ weight, targets: [`http://127.0.0.1:${port}`] });
    const router = await startRouter({
      colors: { blue: color(blue, 100), green: color(green, 0) },
      health: { interval: "100ms", rise: 1 },
      retry: { idempotent_paths: ["/api/predict/"] },
      ...config,
    });
    await untilHealth(router, "blue", "up");
    await untilHealth(router, "green", "up");
    return new RolloutScene(router, { blue, green });
  }

  /** The candidate's process ends, and another version takes its port. */
  async replaceCandidate(release: string): Promise<void> {
    const { green } = this.#models;
    await green.child.kill();
    await startModel("green", green.port, release);
  }

  start(plan: object = {}): Promise<{ status: number; body: Json }> {
    // without checks: what guards see is not to be seen before
    return post(this.router, "/admin/rollouts", { ...QUICK, checks: [], ...plan });
  }

  say(verb: string, body: object = {}): Promise<{ status: number; body: Json }> {
    return post(this.router, `/admin/rollouts/current/${verb}`, body);
  }

  async current(): Promise<Json> {
    return this.#get("/admin/rollouts/current");
  }

  async state(): Promise<Json> {
    return this.#get("/admin/state");
  }

  async #get(path: string): Promise<Json> {
    const answer = await fetch(`${this.router.admin}${path}`).catch((error: Error) => {
      throw new Error(`no router answers (${error.cause}); it printed:\n${this.router.child.output}`);
    });
    return answer.json();
  }

  /** Waits for a phase; a test's own time-out ends the wait. */
  async until(holds: (rollout: Json) => boolean): Promise<Json> {
    for (;;) {
      const rollout = await this.current();
      if (holds(rollout)) return rollout;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

interface Model {
  readonly port: number;
  readonly child: Child;
}

interface Models {
  readonly blue: Model;
  readonly green: Model;
}

async function startModel(
  color: "blue" | "green",
  port: number,
  release: string,
  fault: readonly string[] = [],
  artifact = ARTIFACTS[0],
): Promise<Model> {
  const model = ["--port", String(port), "--color", color, "--model", artifact, "--release", release];
  const child = Child.node(VARIANT, [...model, ...fault]);
  await untilAnswers(`http://127.0.0.1:${port}/health/ready`, child);
  return { port, child };
}

/** Clients that ask for predictions without a pause, on connections that they keep, until they are stopped. */
export class Traffic {
  readonly statuses: Record<number, number> = {};
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;
  readonly #clients: Promise<void>[];
  #stopped = false;

  constructor(url: string, clients = 4) {
    this.#url = url;
    this.#clients = Array.from({ length: clients }, () => this.#ask());
  }

  async stop(): Promise<Record<number, number>> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
    return this.statuses;
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      const status = await predict(this.#url, this.#agent);
      this.statuses[status] = (this.statuses[status] ?? 0) + 1;
      if (status === 0) await new Promise((resolve) => setTimeout(resolve, 20)); // the router is away
    }
  }
}

function predict(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const headers = { "Content-Type": "application/json" };
    const outgoing = request(`${url}/api/predict/`, { method: "POST", agent, headers }, (answer) => {
      answer.resume().once("close", () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once("error", () => resolve(0));
    outgoing.end(JSON.stringify({ data: [TRIP] }));
  });
}
