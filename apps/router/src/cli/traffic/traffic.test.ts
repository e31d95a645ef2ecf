import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { rootPath } from "../../../test/support/child.ts";
import {
  type Answer,
  rawUpstream,
  refusedPort,
  type Upstream,
  upstream,
} from "../../../test/support/upstream.ts";
import { type Run, sluice } from "../fake-admin.ts";
import type { TrafficSummary } from "./run.ts";

const SAMPLE = rootPath("data/sample.csv");
const HEADER =
  "key,fare_amount,pickup_datetime,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude,passenger_count";
const ROWS = [4.5, 7, 52, 9.25].map(
  (fare, i) => `k${i},${fare},2012-06-05 23:36:1${i} UTC,-73.98,40.7${i},-73.95,40.8,${i + 1}`,
);

const folder = mkdtempSync(join(tmpdir(), "sluice-traffic-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function csv(...lines: string[]): string {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, lines.join("\n"));
  return path;
}
const trips = csv(HEADER, ...ROWS);

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
function opened<T extends { close(): Promise<void> }>(each: T): T {
  open.push(each);
  return each;
}

/** A router that answers as the real one does; every n-th request with another status. */
const answering =
  (statuses: (i: number) => number = () => 200): Answer =>
  (request, response) => {
    const i = seenBy.get(request.socket.localPort!) ?? 0;
    seenBy.set(request.socket.localPort!, i + 1);
    response.writeHead(statuses(i), {
      "X-Sluice-Color": i % 4 === 3 ? "green" : "blue",
      "X-Request-Id": request.headers["x-request-id"]!,
    });
    response.end('{"predictions":[{"fare_amount":9}]}');
  };
const seenBy = new Map<number, number>();

const router = async (answer = answering()): Promise<Upstream> => opened(await upstream(answer));

async function traffic(url: string, ...args: string[]): Promise<Run & { summary: TrafficSummary }> {
  const run = await sluice(["traffic", "--url", url, "--json", ...args]);
  return { ...run, summary: run.stdout === "" ? undefined : JSON.parse(run.stdout) };
}

/** What was asked for, in the order of sending: connections may overtake each other. */
function bodies(at: Upstream): Record<string, unknown>[][] {
  const number = (headers: Upstream["seen"][number]["headers"]) =>
    Number(String(headers["x-request-id"]).split("-").at(-1));
  return at.seen
    .toSorted((a, b) => number(a.headers) - number(b.headers))
    .map(({ body }) => JSON.parse(body.toString()).data);
}

describe("sluice traffic", () => {
  it("asks for each trip of the file once, in its order, and says what came of it by color", async () => {
    const front = await router();
    const { code, stdout, summary } = await traffic(front.url, "--csv", trips, "--rps", "200");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(front.seen.every(({ method, url }) => method === "POST" && url === "/api/predict/")).toBe(true);
    expect(bodies(front).map(([trip]) => trip!.passenger_count)).toEqual([1, 2, 3, 4]);
    expect(bodies(front)[0]).toEqual([
      {
        pickup_latitude: 40.7,
        pickup_longitude: -73.98,
        dropoff_latitude: 40.8,
        dropoff_longitude: -73.95,
        passenger_count: 1,
        pickup_datetime: "2012-06-05T23:36:10Z",
      },
    ]);
    expect(summary).toMatchObject({ requests: 4, failed: 0, statuses: { 200: 4 }, dropped: 0, errors: {} });
    expect(summary.colors.blue).toMatchObject({ requests: 3, statuses: { 200: 3 } });
    expect(summary.colors.green).toMatchObject({ requests: 1, statuses: { 200: 1 } });
    const { mean, p50, p95, p99, max } = summary.latency!;
    expect([p50, p95, p99, max].toSorted((a, b) => a - b)).toEqual([p50, p95, p99, max]);
    expect(mean).toBeGreaterThan(0);
    expect(summary.feedback).toBeNull();
  });

  it("gives each request an id of its own", async () => {
    const front = await router();
    await traffic(front.url, "--csv", trips, "--rps", "500", "--loop", "--requests", "12");
    const ids = front.seen.map(({ headers }) => headers["x-request-id"]);
    expect(new Set(ids).size).toBe(12);
    expect(ids.every((id) => /^traffic-[0-9a-f]{8}-\d+$/.test(String(id)))).toBe(true);
    expect(bodies(front).map(([trip]) => trip!.passenger_count)).toEqual([
      1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4,
    ]);
  });

  it("leaves out the rows that the trainer leaves out", async () => {
    const front = await router();
    const dirty = csv(
      HEADER,
      ROWS[0]!,
      "k,-5,2012-06-05 23:36:16 UTC,-73.98,40.7,-73.95,40.8,1",
      "k,oops",
      ROWS[1]!,
    );
    const { summary } = await traffic(front.url, "--csv", dirty, "--rps", "500");
    expect(summary).toMatchObject({ requests: 2, dropped: 2 });
  });

  it("sends several trips in one request, the rest of the file in the last", async () => {
    const front = await router();
    const { summary } = await traffic(front.url, "--csv", trips, "--rps", "500", "--batch", "3");
    expect(bodies(front).map((data) => data.length)).toEqual([3, 1]);
    expect(summary.requests).toBe(2);
  });

  it("shuffles alike for the same seed", async () => {
    const order = async (...seed: string[]) => {
      const front = await router();
      await traffic(front.url, "--csv", SAMPLE, "--rps", "2000", "--requests", "40", ...seed);
      return bodies(front)
        .map(([trip]) => JSON.stringify(trip))
        .toSorted();
    };
    const one = await order("--seed", "7");
    expect(await order("--seed", "7")).toEqual(one);
    expect(await order("--seed", "8")).not.toEqual(one);
    expect(await order()).not.toEqual(one);
  });

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

  it("ends at Ctrl-C with the summary of what was answered", async () => {
    const front = await router();
    const child = spawn(
      process.execPath,
      [
        rootPath("apps/router/bin/sluice.js"),
        "traffic",
        "--url",
        front.url,
        "--csv",
        trips,
        "--rps",
        "100",
        "--loop",
        "--json",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    const closed = new Promise((resolve) => child.once("close", resolve));
    await vi.waitFor(() => expect(front.seen.length).toBeGreaterThan(20), { timeout: 20_000 });
    child.kill("SIGINT");
    expect(await closed).toBe(0);
    const summary = JSON.parse(out) as TrafficSummary;
    expect(summary.failed).toBe(0);
    expect(summary.requests).toBe(front.seen.length);
  });

  it("counts latency from when a request was due, so that a pause of its own hides nothing", async () => {
    const front = await router();
    const args = ["traffic", "--url", front.url, "--csv", trips, "--rps", "100", "--loop", "--json"];
    const child = spawn(process.execPath, [rootPath("apps/router/bin/sluice.js"), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    const closed = new Promise((resolve) => child.once("close", resolve));
    const more = (count: number) =>
      vi.waitFor(() => expect(front.seen.length).toBeGreaterThan(count), { timeout: 20_000 });
    await more(10);
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 600)); // how long it stands still
    child.kill("SIGCONT");
    await more(front.seen.length + 60);
    child.kill("SIGINT");
    await closed;
    expect((JSON.parse(out) as TrafficSummary).latency!.max).toBeGreaterThan(0.5);
  });

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

  it("goes on where no feedback is taken, and says why", async () => {
    const front = await router();
    const admin = `http://127.0.0.1:${await refusedPort()}`;
    const { code, summary } = await traffic(
      front.url,
      ...["--csv", trips, "--rps", "500", "--feedback", "--admin-url", admin],
    );
    expect(code).toBe(0);
    expect(summary).toMatchObject({ requests: 4, failed: 0, feedback: { accepted: 0, failed: 4 } });
    expect(summary.feedback!.error).toContain("no router answers");
  });

  it.each<[string, string[], RegExp]>([
    ["no file", ["--csv", "/no/such.csv", "--rps", "1"], /^sluice: \/no\/such\.csv does not exist\.\n$/],
    ["a folder", ["--csv", folder, "--rps", "1"], /is a directory: expected a CSV file\.\n$/],
    ["no columns", ["--csv", csv("a,b", "1,2"), "--rps", "1"], /lacks the columns fare_amount, /],
    ["no rows", ["--csv", csv(HEADER), "--rps", "1"], /has a header but no rows\.\n$/],
  ])("ends with one sentence and 1 for %s", async (_what, args, message) => {
    const run = await sluice(["traffic", ...args]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
  });

  it.each([
    [["--rps", "0"], "--rps is"],
    [["--rps", "-1"], "--rps"],
    [["--rps", "many"], "--rps is"],
    [["--rps", "1", "--batch", "0"], "--batch is"],
    [["--rps", "1", "--requests", "1.5"], "--requests is"],
    [["--rps", "1", "--duration", "30"], "--duration is"],
    [["--rps", "1", "--timeout", "0s"], "--timeout is"],
    [["--rps", "1", "--seed", "x"], "--seed is"],
    [["--rps", "1", "--url", "nowhere"], "the router's address is"],
    [[], "required option '--rps"],
  ])("refuses %j as bad usage", async (args, message) => {
    const run = await sluice(["traffic", "--csv", trips, ...args]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain("expected".slice(0, args.length === 0 ? 0 : 8));
  });

  it("reads the whole sample that comes with the project", async () => {
    const front = await router();
    const rows = readFileSync(SAMPLE, "utf8").trim().split("\n").length - 1;
    const { summary } = await traffic(front.url, "--csv", SAMPLE, "--rps", "4000", "--batch", "100");
    expect(bodies(front).flat()).toHaveLength(rows - summary.dropped);
  });
});
