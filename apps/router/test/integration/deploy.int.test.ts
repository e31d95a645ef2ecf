import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { endChildren } from "../support/child.ts";
import { ARTIFACTS, DeployScene } from "../support/deploys.ts";
import { Load } from "../support/load.ts";
import { post } from "../support/running-router.ts";

const TRIP = {
  pickup_latitude: 40.75,
  pickup_longitude: -73.99,
  dropoff_latitude: 40.76,
  dropoff_longitude: -73.97,
  passenger_count: 1,
};
const predict = () => ({
  method: "POST",
  path: "/api/predict/",
  body: JSON.stringify({ data: [TRIP] }),
});

let scene: DeployScene;
beforeAll(async () => {
  scene = await DeployScene.open();
});
afterAll(async () => {
  await scene.close();
  await endChildren();
});

const digestOf = (path: string): string => JSON.parse(readFileSync(path, "utf8")).digest;

it("says what it would do, and changes nothing", async () => {
  const { code, output } = await scene.run(["deploy", "--artifact", ARTIFACTS[0], "--dry-run"]);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/blue serves, green is idle/);
  expect(output).toMatch(/deploy +\S+1\.0\.0\/model\.json \(1\.0\.0, sha256:\w+…\) to green/);
  for (const phase of ["clean", "start", "check", "switch", "verify", "drain", "stop"])
    expect(output).toMatch(new RegExp(`^${phase} `, "m"));
  expect(scene.has("deployed.json")).toBe(false);
  expect(await scene.listens("green")).toBe(false);
});

it("deploys the real model API into an empty router, where nothing served before", async () => {
  const { code, output } = await scene.run(["deploy", "--artifact", ARTIFACTS[0]]);
  expect(output).toMatch(/20 golden rows are right/);
  expect(output).toMatch(/1\.0\.0, sha256:\w+…\) is deployed: green serves, blue was before\./);
  expect(code).toBe(0);
  expect(await scene.serving()).toBe("green");
});

it("ships the next version under load without losing a request, in steps, and stops the old one", async () => {
  const load = new Load({ url: scene.router.url, rate: 20, kind: predict });
  const steps = ["--steps", "10,50,100", "--step-for", "500ms", "--reason", "1.0.1 for all"];
  const { code, output } = await scene.run([
    "deploy",
    "--artifact",
    ARTIFACTS[1],
    "--expect-version",
    "1.0.1",
    "--expect-digest",
    digestOf(ARTIFACTS[1]),
    ...steps,
  ]);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/blue has 10 %[\s\S]*blue has 50 %[\s\S]*blue has 100 %/);
  const result = await load.stop();
  expect(result.lost).toEqual([]);
  expect(result.byColor).toMatchObject({ green: expect.any(Number), blue: expect.any(Number) });
  expect(await scene.serving()).toBe("blue");
  expect(await scene.listens("green")).toBe(false);
  expect(scene.record()).toMatchObject({
    serving: "blue",
    previous: "green",
    colors: { blue: { version: "1.0.1", running: true }, green: { version: "1.0.0", running: false } },
  });
  expect(scene.has("deploy.json")).toBe(false);
});

it("rollback starts the stopped version again before it goes back, and loses nothing", async () => {
  const load = new Load({ url: scene.router.url, rate: 20, kind: predict });
  const { code, output } = await scene.run(["rollback"]);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/starting \S+1\.0\.0\/model\.json on green again/);
  await load.more(5);
  expect((await load.stop()).lost).toEqual([]);
  expect(await scene.serving()).toBe("green");
  const green = (await scene.colors()).find(({ name }) => name === "green");
  expect(green!.targets[0]).toMatchObject({ health: "up", digest: digestOf(ARTIFACTS[0]) });
  expect(scene.record()).toMatchObject({ serving: "green", previous: "blue" });
});

it("keeps the old version warm for a while, and then stops it", async () => {
  const { code, output } = await scene.deploy(ARTIFACTS[1], ["--keep-old", "1s", "--json"]);
  expect(code, output).toBe(0);
  const report = JSON.parse(output);
  expect(report).toMatchObject({ ok: true, result: "deployed", serving: "blue", version: "1.0.1" });
  expect(scene.record().colors.green).toMatchObject({ running: true });
  await expect.poll(() => scene.listens("green"), { timeout: 30_000 }).toBe(false);
  await expect.poll(() => scene.record().colors.green!.running, { timeout: 5_000 }).toBe(false);
  expect(await scene.serving()).toBe("blue");
});

it("rolls back all the same when the old version cannot be started again, and says so", async () => {
  const copy = join(scene.folder, "artifacts", `${digestOf(ARTIFACTS[0]).slice(7)}.json`);
  const text = readFileSync(copy, "utf8");
  writeFileSync(copy, text.replace('"golden"', '"olden"'));
  const { code, output } = await scene.run(["rollback", "--start-timeout", "20s"]);
  expect(code).toBe(1);
  expect(output).toMatch(
    /green could not be started again: green ended while it was starting \(exit code 1\)/,
  );
  expect(output).toMatch(/blue 0 %, green 100 %/);
  expect(await scene.serving()).toBe("green");
  writeFileSync(copy, text);
  expect((await scene.run(["flip", "blue"])).code).toBe(0);
});

it("leaves an old version running that does not drain in time, and says so", async () => {
  expect((await scene.deploy(ARTIFACTS[0], [], { ODD_MODEL: "hang" })).code).toBe(0);
  const { hostname, port } = new URL(scene.router.url);
  const hanging = request({ hostname, port, method: "POST", path: "/api/predict/" });
  hanging.on("error", () => {}).end(JSON.stringify({ data: ["hang"] }));
  const inFlight = async () =>
    ((await scene.colors()).find(({ name }) => name === "green") as unknown as { in_flight: number })
      .in_flight;
  await expect.poll(inFlight).toBe(1);
  const { code, output } = await scene.deploy(ARTIFACTS[1], ["--drain-timeout", "300ms"]);
  expect(code).toBe(0);
  expect(output).toMatch(/warning: green still has 1 in flight after 0\.3 s, so it is left running\./);
  expect(await scene.listens("green")).toBe(true);
  expect(await scene.serving()).toBe("blue");
  hanging.destroy();
});

it("takes a color that serves a part when it is named, whose requests go to the other one first", async () => {
  expect((await post(scene.router, "/admin/weights", { blue: 90, green: 10 })).status).toBe(200);
  const refused = await scene.deploy(ARTIFACTS[0]);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.output).toMatch(
    /several colors serve \(blue 90 %, green 10 %\), so none is idle .* `sluice flip blue`, or .* --color green\./,
  );
  const named = await scene.deploy(ARTIFACTS[0], ["--color", "green"]);
  expect(named).toMatchObject({ code: 0 });
  expect(await scene.serving()).toBe("green");
});

it("switches by a rollout, and goes back when that does", async () => {
  const plan = join(scene.router.folder, "release.yaml");
  const guards = "guards: { errors: { promote_below: null } }";
  writeFileSync(plan, `steps: [50]\nstep_min: 200ms\nstep_requests: 20\nbake: 200ms\n${guards}\n`);
  const load = new Load({ url: scene.router.url, rate: 20, kind: predict });
  const good = await scene.deploy(ARTIFACTS[1], ["--rollout", plan]);
  expect(good.output).toMatch(/by a rollout[\s\S]*step 1 of 2: 50 %[\s\S]*is the stable color now/);
  expect(good.code).toBe(0);
  expect(await scene.serving()).toBe("blue");
  // it answers its golden rows in its checks, and fails whatever comes through the router
  const bad = await scene.deploy(ARTIFACTS[0], ["--rollout", plan], { ODD_MODEL: "outside" });
  await load.stop();
  expect(bad.code).toBe(1);
  expect(bad.output).toMatch(/was rolled back: errors: candidate \d+ of \d+, .*roll back/);
  expect(await scene.serving()).toBe("blue");
  expect(await scene.listens("green")).toBe(false);
});
