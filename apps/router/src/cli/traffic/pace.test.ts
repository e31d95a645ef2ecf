import { describe, expect, it, vi } from "vitest";
import { router, startTraffic, traffic, trips } from "../../../test/support/traffic-command.ts";

describe("sluice traffic", () => {
  it("sends when it is due, whether or not anybody answers, and counts latency from then", async () => {
    const held: (() => void)[] = [];
    const front = await router((_request, response) => {
      held.push(() => response.end("{}"));
      if (held.length === 30) for (const answer of held) answer();
    });
    const { summary, code } = await traffic(
      front.url,
      "--csv",
      trips,
      "--rps",
      "100",
      "--loop",
      "--requests",
      "30",
    );
    expect(code).toBe(0);
    expect(summary).toMatchObject({ requests: 30, failed: 0 });
    expect(summary.latency!.max).toBeGreaterThan(0.28); // the first waited for the thirtieth, which was due 290 ms later
    expect(summary.seconds).toBeGreaterThanOrEqual(0.29);
  });

  it("ends after its duration", async () => {
    const front = await router();
    const { summary } = await traffic(
      front.url,
      "--csv",
      trips,
      "--rps",
      "50",
      "--loop",
      "--duration",
      "400ms",
    );
    expect(summary.requests).toBe(20);
  });

  it("ends at Ctrl-C with the summary of what was answered", async () => {
    const front = await router();
    const { kill, ended } = startTraffic(front.url, "--csv", trips, "--rps", "100", "--loop");
    await vi.waitFor(() => expect(front.seen.length).toBeGreaterThan(20), { timeout: 20_000 });
    kill("SIGINT");
    const { code, summary } = await ended;
    expect(code).toBe(0);
    expect(summary.failed).toBe(0);
    expect(summary.requests).toBe(front.seen.length);
  });

  it("counts latency from when a request was due, so that a pause of its own hides nothing", async () => {
    const front = await router();
    const { kill, ended } = startTraffic(front.url, "--csv", trips, "--rps", "100", "--loop");
    const more = (count: number) =>
      vi.waitFor(() => expect(front.seen.length).toBeGreaterThan(count), { timeout: 20_000 });
    await more(10);
    kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 600)); // how long it stands still
    kill("SIGCONT");
    await more(front.seen.length + 60);
    kill("SIGINT");
    expect((await ended).summary.latency!.max).toBeGreaterThan(0.5);
  });
});
