import { expect, it } from "vitest";
import { closing } from "../../../../test/support/open.ts";
import { type TestRouter, testRouter } from "../../../../test/support/plane.ts";
import { type Upstream, upstream } from "../../../../test/support/upstream.ts";

const keep = closing();

async function pair(): Promise<{ blue: Upstream; router: TestRouter }> {
  const blue = keep(await upstream((request, response, body) => response.end(`${request.method} ${body}`)));
  const router = keep(await testRouter({ blue: { weight: 1, targets: [blue.url] } }));
  return { blue, router };
}

it("relays a GET and says who answered", async () => {
  const { router } = await pair();
  const answer = await fetch(`${router.url}/a//b;c?d=%2F`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-sluice-color")).toBe("blue");
  expect(answer.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
  expect(await answer.text()).toBe("GET ");
});

it("passes path and query byte for byte", async () => {
  const { router, blue } = await pair();
  await fetch(`${router.url}//a//b;c?d=%2F`);
  expect(blue.seen[0]?.url).toBe("//a//b;c?d=%2F");
});

it("relays a POST with its body", async () => {
  const { router } = await pair();
  const answer = await fetch(`${router.url}/x`, { method: "POST", body: "hello" });
  expect(await answer.text()).toBe("POST hello");
});

it("counts the answer and logs a line", async () => {
  const { router } = await pair();
  await (await fetch(`${router.url}/x`)).text();
  const report = router.plane.report();
  expect(report.colors.blue?.requests).toEqual({ "GET 200": 1 });
  expect(report.colors.blue?.inFlight).toBe(0);
  expect(router.lines).toMatchObject([
    { method: "GET", path: "/x", status: 200, color: "blue", outcome: "answered" },
  ]);
});
