import { describe, expect, it } from "vitest";
import { sluice } from "../../../test/support/sluice-command.ts";
import { answering, opened, router, traffic, trips } from "../../../test/support/traffic-command.ts";
import { rawUpstream, refusedPort } from "../../../test/support/upstream.ts";

describe("sluice traffic", () => {
  it("counts failures, and fails for them only if it is told to", async () => {
    const failing = answering((i) => (i % 2 === 0 ? 503 : 200));
    const front = await router(failing);
    const args = ["--csv", trips, "--rps", "500"];
    const lenient = await traffic(front.url, ...args);
    expect(lenient.code).toBe(0);
    expect(lenient.summary).toMatchObject({ failed: 2, statuses: { 200: 2, 503: 2 } });
    const strict = await traffic(front.url, ...args, "--strict");
    expect(strict.code).toBe(1);
    expect(strict.stderr).toBe("sluice: 2 of 4 requests failed.\n");
    expect(strict.summary.failed).toBe(2);
  });

  it("says so where nobody answers, in one sentence, after the summary", async () => {
    const nobody = `http://127.0.0.1:${await refusedPort()}`;
    const { code, stderr, summary } = await traffic(nobody, "--csv", trips, "--rps", "500");
    expect(code).toBe(1);
    expect(stderr).toBe(`sluice: no request to ${nobody} was answered with a prediction.\n`);
    expect(summary).toMatchObject({
      requests: 4,
      failed: 4,
      errors: { ECONNREFUSED: 4 },
      statuses: { 0: 4 },
    });
    expect(summary.colors).toHaveProperty("none");
  });

  it("gives an answer up that takes too long, or breaks off", async () => {
    const silent = opened(await rawUpstream((socket) => socket.resume()));
    const late = await traffic(silent.url, "--csv", trips, "--rps", "500", "--timeout", "100ms");
    expect(late.summary).toMatchObject({ requests: 4, failed: 4, errors: { timeout: 4 } });
    const broken = opened(
      await rawUpstream((socket) => {
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"));
      }),
    );
    const half = await traffic(broken.url, "--csv", trips, "--rps", "500");
    expect(half.summary).toMatchObject({ failed: 4, statuses: { 0: 4 } });
  });

  it("tells people, with lines while it runs where there is no terminal", async () => {
    const front = await router();
    const run = await sluice(["traffic", "--url", front.url, "--csv", trips, "--rps", "500"]);
    expect(run.stdout).toMatch(/^4 requests in \d+ ms \(\d+ a second\), 0 failed\.\n/);
    expect(run.stdout).toMatch(/^blue +3 +0 +200 × 3 /m);
    expect(run.stdout).toMatch(/^green +1 +0 +200 × 1 /m);
    expect(run.stdout).toMatch(/^all +4 +0 +200 × 4 /m);
    expect(run.stdout + run.stderr).not.toContain("\x1b");
  });
});
