import { afterEach, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { endChildren } from "../support/child.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  restartRouter,
  startRouter,
} from "../support/running-router.ts";

let router: RunningRouter;
afterEach(async () => {
  await endChildren();
  removeFolder(router.folder);
});

async function weightsNow(): Promise<unknown> {
  const state = (await (await fetch(`${router.admin}/admin/state`)).json()) as { weights: unknown };
  return state.weights;
}

it("comes back with the last answered weights, or those in flight, after SIGKILL at any moment of 200 changes", async () => {
  const random = seeded(20_261_121);
  router = await startRouter({
    colors: { blue: { weight: 90, targets: [] }, green: { weight: 10, targets: [] } },
  });
  let answered: unknown = await weightsNow();
  let changes = 0;
  while (changes < 200) {
    const burst = 5 + Math.floor(random() * 30);
    let inFlight: unknown = answered;
    const killAt = random() * burst * 8;
    const timer = setTimeout(() => router.child.signal("SIGKILL"), killAt);
    for (let i = 0; i < burst; i++, changes++) {
      const weights = { blue: Math.ceil(random() * 1000) / 10, green: Math.floor(random() * 1000) / 10 };
      inFlight = weights;
      const answer = await post(router, "/admin/weights", weights).catch(() => undefined);
      if (answer === undefined) break;
      expect(answer.status).toBe(200);
      answered = weights;
    }
    await router.child.exited();
    clearTimeout(timer);
    router = await restartRouter(router);
    const restored = await weightsNow();
    expect([answered, inFlight]).toContainEqual(restored);
    answered = restored;
  }
}, 300_000);
