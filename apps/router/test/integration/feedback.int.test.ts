import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { endChildren } from "../support/child.ts";
import { ARTIFACTS } from "../support/deploys.ts";
import { RolloutScene } from "../support/rollouts.ts";
import { post, removeFolder, restartRouter, temporaryFolder } from "../support/running-router.ts";
import { endWorkers, until } from "../support/workers.ts";

const TRIP = {
  pickup_latitude: 40.75,
  pickup_longitude: -73.99,
  dropoff_latitude: 40.77,
  dropoff_longitude: -73.96,
  passenger_count: 1,
};
const CONFIG = { predictions: "/predictions/*/fare_amount" };

const PREDICT = "/api/predict/";
/** A connection of its own: any worker may take it, and none is left over of a router that was killed. */
const FRESH = { Connection: "close" };

let scene: RolloutScene | undefined;
const folders: string[] = [];
afterEach(async () => {
  await endChildren();
  if (scene) {
    endWorkers(scene.router);
    removeFolder(scene.router.folder);
  }
  scene = undefined;
  for (const folder of folders.splice(0)) removeFolder(folder);
});

/** Starts a rollout of green. */
async function begin(plan: object): Promise<void> {
  const { status, body } = await scene!.start(plan);
  expect([status, body.detail]).toEqual([200, undefined]);
}

const reasonsOf = ({ log }: { log: { reason: string }[] }) => log.map(({ reason }) => reason).join("\n");

interface Predicted {
  readonly id: string;
  readonly fares: readonly number[];
}

async function predict(url: string, rows: number, id?: string): Promise<Predicted> {
  const response = await fetch(`${url}${PREDICT}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...FRESH, ...(id && { "X-Request-Id": id }) },
    body: JSON.stringify({ data: Array.from({ length: rows }, () => TRIP) }),
  });
  const { predictions } = (await response.json()) as { predictions: { fare_amount: number }[] };
  return {
    id: response.headers.get("x-request-id")!,
    fares: predictions.map(({ fare_amount }) => fare_amount),
  };
}

interface View {
  readonly remembered: number;
  readonly versions: readonly { color: string; digest: string; rows: number; mae: number; rmse: number }[];
}

describe.each([1, 2])("delayed truth with %i data-plane process(es)", (workers) => {
  it("may come right after the answer", async () => {
    scene = await RolloutScene.open([], { ...CONFIG, workers }, ARTIFACTS[1]);
    const { router } = scene;
    for (let i = 0; i < 20; i++) {
      const { id, fares } = await predict(router.url, 1);
      const { body } = await post(router, "/feedback", { request_id: id, actual: fares[0]! + 1 });
      expect(body).toMatchObject({ accepted: 1, unknown: 0 });
    }
  });

  it("gives MAE and RMSE by the ids that clients were told, and survives kill -9 of the router", async () => {
    scene = await RolloutScene.open([], { ...CONFIG, workers }, ARTIFACTS[1]);
    const { router } = scene;
    const view = async () =>
      (await (await fetch(`${router.admin}/admin/feedback`, { headers: FRESH })).json()) as View;
    const all: Predicted[] = [];
    for (let i = 0; i < 30; i++) all.push(await predict(router.url, 1 + (i % 2)));
    all.push(await predict(router.url, 1, "my-own-id"));
    expect(all.at(-1)!.id).toBe("my-own-id");
    await until(async () => (await view()).remembered === all.length);
    const items = all.map(({ id, fares }) => ({
      request_id: id,
      actual: fares.map((fare, i) => fare + (i === 0 ? 3 : -4)),
    }));
    const [told, later] = [items.slice(0, 20), items.slice(20)];
    const send = async (body: unknown) => {
      const headers = { "Content-Type": "application/json", ...FRESH };
      const answer = await fetch(`${router.admin}/feedback`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await send({ feedback: told })).toEqual({
      status: 202,
      body: { accepted: 20, repeated: 0, unknown: 0 },
    });
    const before = await view();
    expect(before.versions).toEqual([
      expect.objectContaining({
        color: "blue",
        shadow: false,
        rows: 30,
        digest: expect.stringMatching(/^sha256:/),
      }),
    ]);
    expect(before.versions[0]!.mae).toBeCloseTo((20 * 3 + 10 * 4) / 30, 9);
    expect(before.versions[0]!.rmse).toBeCloseTo(Math.sqrt((20 * 9 + 10 * 16) / 30), 9);
    // what was only answered is written within a second; what was told is on the disk already
    const journal = () => readFileSync(join(router.folder, "state", "feedback-00000001.jsonl"), "utf8");
    await until(() => all.every(({ id }) => journal().includes(id)));
    await router.child.kill("SIGKILL");
    const again = await restartRouter(router);
    expect(await view()).toEqual(before);
    expect(await send(items)).toMatchObject({
      body: { accepted: later.length, repeated: told.length, unknown: 0 },
    });
    const metrics = await (await fetch(`${again.admin}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_feedback_mae\{color="blue"\} 3\.3/m);
  });
});

describe("hooks of a rollout", () => {
  /** Notes each run with its key, and waits until it is let go. */
  function hook(folder: string) {
    const script = join(folder, "hook.mjs");
    writeFileSync(
      script,
      `import { appendFileSync, existsSync } from "node:fs";
      const { SLUICE_MOMENT: moment, SLUICE_IDEMPOTENCY_KEY: key, SLUICE_CANDIDATE_VERSION: version } = process.env;
      process.chdir(import.meta.dirname);
      appendFileSync("runs", moment + " " + key + " " + version + "\\n");
      if (existsSync(moment + ".fails")) process.exit(1);
      const timer = setInterval(() => { if (existsSync(moment + ".go")) clearInterval(timer); }, 10);`,
    );
    const command = [process.execPath, script];
    const runs = () => (existsSync(join(folder, "runs")) ? readFileSync(join(folder, "runs"), "utf8") : "");
    const set = (name: string) => writeFileSync(join(folder, name), "");
    return {
      hooks: { gate: { command, timeout: "100s" } },
      runs,
      set,
    };
  }

  it("are asked for again after kill -9 of the router, with the same key, and then the rollout goes on", async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const { hooks, runs, set } = hook(folder);
    scene = await RolloutScene.open([], { ...CONFIG, hooks }, ARTIFACTS[1]);
    const { router } = scene;
    const unknown = await post(router, "/admin/rollouts", {
      candidate: "green",
      hooks: { before_rollout: "nobody" },
    });
    expect([unknown.status, unknown.body.detail]).toEqual([400, expect.stringContaining("nobody")]);
    await begin({ hooks: { before_rollout: "gate", on_rollback: "gate" } });
    await until(() => runs() !== "");
    await router.child.kill("SIGKILL");
    expect(runs().split("\n")).toHaveLength(2);
    await restartRouter(router);
    await until(() => runs().split("\n").length === 3);
    const { id, phase } = await scene.current();
    expect(phase).toBe("preparing");
    expect(runs()).toBe(`before_rollout ${id}:before_rollout 1.0.1\n`.repeat(2));
    set("before_rollout.go");
    await until(async () => (await scene!.current()).phase === "shifting");
    set("on_rollback.fails");
    expect((await post(router, `/admin/rollouts/${id}/abort`)).status).toBe(200);
    const reasons = async () => reasonsOf(await scene!.current());
    await until(async () => (await reasons()).includes("on rollback"));
    expect((await scene.current()).phase).toBe("aborted");
    expect(await reasons()).toMatch(
      /gate \(before rollout\) succeeded: node ended with status 0[\s\S]*gate \(on rollback\) failed: node ended with status 1/,
    );
  });

  it("that fail before it begin nothing", async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const { hooks, set } = hook(folder);
    set("before_rollout.fails");
    scene = await RolloutScene.open([], { ...CONFIG, hooks }, ARTIFACTS[1]);
    await begin({ hooks: { before_rollout: "gate" } });
    const { phase, log } = await scene.until(({ over }) => over);
    expect(phase).toBe("rolled_back");
    expect(log.map(({ event }: { event: string }) => event)).not.toContain("step");
  });
});

describe("gates of a rollout", () => {
  it("let a sound candidate pass, and say what they saw", async () => {
    scene = await RolloutScene.open([], CONFIG, ARTIFACTS[1]);
    await begin({ checks: undefined });
    await until(async () => (await scene!.current()).phase === "shifting");
    expect(JSON.stringify(await scene.current())).toMatch(
      /green is 1\.0\.1, sha256:.*20 golden rows are right at 1 target.*answers have the shape of blue's.*answered 50 of 50 predictions/,
    );
  });

  it("end a rollout whose candidate has no number for a golden row, before it gets a request", async () => {
    scene = await RolloutScene.open(["--nan", "0"], CONFIG);
    await begin({ checks: undefined });
    const record = await scene.until(({ over }) => over);
    expect(record.phase).toBe("rolled_back");
    expect(reasonsOf(record)).toMatch(
      /golden: http.* answers golden row 0 with undefined; the artifact says/,
    );
    const metrics = await (await fetch(`${scene.router.admin}/metrics`)).text();
    expect(metrics).toContain('sluice_assigned_total{color="green"} 0');
  });
});
