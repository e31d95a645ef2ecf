import { describe, expect, it } from "vitest";
import { answering, opened, router, traffic, trips } from "../../../test/support/traffic-command.ts";
import { refusedPort, upstream } from "../../../test/support/upstream.ts";

describe("sluice traffic", () => {
  it("posts what the trips really cost, later, to the admin API with its token", async () => {
    const front = await router();
    const posted: { at: number; items: { request_id: string; actual: unknown }[] }[] = [];
    const admin = opened(
      await upstream((request, response, body) => {
        expect(request.headers.authorization).toBe("Bearer of-feedback");
        const items = JSON.parse(body.toString()).feedback;
        posted.push({ at: performance.now(), items });
        response.writeHead(202, { "Content-Type": "application/json" });
        response.end(JSON.stringify({ accepted: items.length - 1, repeated: 0, unknown: 1 }));
      }),
    );
    const begun = performance.now();
    const { code, summary } = await traffic(
      front.url,
      ...[
        "--csv",
        trips,
        "--rps",
        "20",
        "--loop",
        "--requests",
        "40",
        "--feedback",
        "--feedback-delay",
        "500ms",
      ],
      ...["--admin-url", admin.url, "--token", "of-feedback"],
    );
    expect(code).toBe(0);
    expect(admin.seen.every(({ method, url }) => method === "POST" && url === "/feedback")).toBe(true);
    const all = posted.flatMap(({ items }) => items);
    const byId = new Map(all.map(({ request_id, actual }) => [request_id, actual]));
    expect(byId.size).toBe(40);
    for (const { headers, body } of front.seen) {
      const fares: Record<number, number> = { 1: 4.5, 2: 7, 3: 52, 4: 9.25 };
      const [trip] = JSON.parse(body.toString()).data;
      expect(byId.get(String(headers["x-request-id"]))).toBe(fares[trip.passenger_count]);
    }
    expect(posted[0]!.at - begun).toBeGreaterThan(500);
    expect(summary.feedback).toEqual({
      accepted: 40 - posted.length,
      unknown: posted.length,
      failed: 0,
      error: null,
    });
  });

  it("posts a fare for each trip of a batch, and none for what was not answered", async () => {
    const front = await router(answering((i) => (i === 1 ? 500 : 200)));
    const admin = opened(
      await upstream((_request, response) =>
        response.writeHead(202, { "Content-Type": "application/json" }).end("{}"),
      ),
    );
    await traffic(
      front.url,
      "--csv",
      trips,
      "--rps",
      "500",
      "--batch",
      "3",
      "--feedback",
      "--admin-url",
      admin.url,
    );
    const items = admin.seen.flatMap(({ body }) => JSON.parse(body.toString()).feedback);
    expect(items).toMatchObject([{ actual: [4.5, 7, 52] }]);
  });

  it("goes on where no feedback is taken, says why, and fails", async () => {
    const front = await router();
    const admin = `http://127.0.0.1:${await refusedPort()}`;
    const { code, stderr, summary } = await traffic(
      front.url,
      ...["--csv", trips, "--rps", "500", "--feedback", "--admin-url", admin],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: no feedback was taken: no router answers .*\.\n$/);
    expect(summary).toMatchObject({ requests: 4, failed: 0, feedback: { accepted: 0, failed: 4 } });
    expect(summary.feedback!.error).toContain("no router answers");
  });

  it.each([
    [[], 0, ""],
    [["--strict"], 1, /^sluice: the feedback on \d+ of 30 requests was not taken: .*\.\n$/],
  ])("fails at a part of the feedback with --strict only: %j", async (options, code, stderr) => {
    const front = await router();
    let posts = 0;
    const admin = opened(
      await upstream((_request, response) => {
        const status = posts++ === 0 ? 202 : 401;
        response.writeHead(status, { "Content-Type": "application/json" }).end('{"accepted":1}');
      }),
    );
    const run = await traffic(
      front.url,
      ...["--csv", trips, "--rps", "30", "--loop", "--requests", "30", "--feedback", ...options],
      ...["--feedback-delay", "1ms", "--admin-url", admin.url],
    );
    expect(run.code).toBe(code);
    expect(run.stderr).toEqual(stderr === "" ? "" : expect.stringMatching(stderr));
  });
});
