import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Running, startServer } from "../../apps/model-api/test/support/process.ts";
import { endChildren, rootPath } from "../../apps/router/test/support/child.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  startRouter,
  untilHealth,
} from "../../apps/router/test/support/running-router.ts";
import { refusedPort } from "../../apps/router/test/support/upstream.ts";
import { endWorkers } from "../../apps/router/test/support/workers.ts";
import { installed } from "../../test.shared.ts";
import { DASHBOARDS, readRules } from "./files.ts";
import { interpolate, queriesOf, readDashboard } from "./grafana.ts";
import { RunningPrometheus } from "./prometheus.ts";

const PATIENCE = { timeout: 100_000, interval: 300 };
const TRIP = {
  pickup_latitude: 40.7383,
  pickup_longitude: -73.9998,
  dropoff_latitude: 40.7232,
  dropoff_longitude: -73.9995,
  passenger_count: 1,
};
const TRACE = "0af7651916cd43dd8448eb211c80319c";
/** Its actual fare will be known. */
const KNOWN = "known-trip";
const FAR_TRIP = { ...TRIP, dropoff_latitude: 42.5 };

let apis: readonly Running[] = [];
let router: RunningRouter;
let prometheus: RunningPrometheus;

const startApi = (color: string, version: string) =>
  startServer(["--color", color, "--model", rootPath(`artifacts/${version}/model.json`)]);

/** A few predictions, one of a trip out of town, and a path that is not there. */
async function traffic(): Promise<void> {
  const predict = (data: unknown[]) =>
    fetch(`${router.url}/api/predict/`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
        ...(data.length === 1 && { "X-Request-Id": KNOWN }),
      },
      body: JSON.stringify({ data }),
    });
  const answers = [predict([TRIP]), predict([TRIP, TRIP, FAR_TRIP]), fetch(`${router.url}/nothing`)];
  for (const answer of await Promise.all([...answers, ...Array.from({ length: 7 }, () => predict([TRIP]))]))
    await answer.arrayBuffer();
}

/** Goes on with the traffic until every expression has had data. */
async function untilData(expressions: readonly string[]): Promise<void> {
  let missing = expressions;
  await vi.waitFor(async () => {
    await traffic();
    const have = await Promise.all(missing.map((expr) => prometheus.hasData(expr)));
    missing = missing.filter((_, i) => !have[i]);
    expect(missing).toEqual([]);
  }, PATIENCE);
}

describe.skipIf(!installed("prometheus"))(
  "a real Prometheus that scrapes a router and two model APIs",
  () => {
    beforeAll(async () => {
      apis = [await startApi("blue", "1.0.0"), await startApi("green", "1.0.1")];
      const [blue, green] = apis.map(({ url }) => ({ weight: 50, targets: [url] }));
      const metrics = `127.0.0.1:${await refusedPort()}`;
      router = await startRouter({
        colors: { blue, green },
        metrics: { listen: metrics },
        workers: 2,
        tracing: {},
        health: { interval: "200ms", timeout: "1s" },
        retry: { idempotent_paths: ["/api/predict/"] },
        predictions: "/predictions/*/fare_amount",
      });
      await untilHealth(router, "green", "up");
      const api = apis.map(({ url }) => new URL(url).host);
      prometheus = await RunningPrometheus.start({ "router.yml": [metrics], "model-api.yml": api });
      await untilData([
        'up{job="sluice-router"} == 1',
        'count(up{job="sluice-model-api"} == 1) == 2',
        "sum(sluice_target_up) == 2",
      ]);
      await post(router, "/admin/weights", { blue: 100, green: 0 });
      await untilData(["sluice_traffic_weight_ratio == 1"]);
      expect((await post(router, "/admin/shadow", { color: "green" })).status).toBe(200);
      await untilData(["sluice_shadow_pairs > 0"]);
      const truth = [{ request_id: KNOWN, actual: 12.5 }];
      expect((await post(router, "/feedback", truth)).body).toMatchObject({ unknown: 0 });
      const rollout = { candidate: "green", steps: [50, 100], step_min: "2s", guards: { errors: {} } };
      expect((await post(router, "/admin/rollouts", rollout)).status).toBe(200);
      await untilData(['sluice_rollout_evidence_log10{guard="errors"}']);
      await post(router, "/admin/rollback");
      await post(router, "/admin/weights", { blue: 60, green: 40 });
      apis[1]!.child.kill("SIGKILL"); // a change of health for the annotations, failovers and retries
      await untilHealth(router, "green", "down");
    });

    afterAll(async () => {
      await endChildren();
      endWorkers(router);
      for (const { child } of apis) child.kill("SIGKILL");
      removeFolder(router.folder);
    });

    it.for(readdirSync(DASHBOARDS))("has data for every query of %s", async (file) => {
      const queries = queriesOf(readDashboard(file)).map(({ expr }) => interpolate(expr));
      const whilePaused = queries.filter((query) => /sluice_paused.* > 0$/.test(query));
      expect(whilePaused).toHaveLength(1);
      await untilData(queries.filter((query) => !whilePaused.includes(query)));
      expect((await post(router, "/admin/pause", { max: 0 })).status).toBe(200);
      await untilData(whilePaused);
      expect((await post(router, "/admin/resume")).status).toBe(200);
    });

    it("keeps traced requests as exemplars of the quantiles that the dashboard draws", async () => {
      const duration = queriesOf(readDashboard("release.json")).filter(({ exemplar }) => exemplar);
      expect(duration).toHaveLength(3);
      await vi.waitFor(async () => {
        await traffic();
        for (const { expr } of duration)
          expect(await prometheus.exemplars(interpolate(expr)), expr).toContain(TRACE);
      }, PATIENCE);
    });

    it("has data for every recording rule", async () => {
      await untilData(readRules().flatMap(({ record }) => record ?? []));
    });

    it("can evaluate every rule", async () => {
      await vi.waitFor(async () => expect(await prometheus.brokenRules()).toEqual([]), PATIENCE);
    });

    it("raises the alerts of what happened", async () => {
      await untilData([
        'ALERTS{alertname="SluiceWeightsChanged",alertstate="firing",kind="weights"}',
        'ALERTS{alertname="SluiceColorDown",color="green"}',
      ]);
    });
  },
);
