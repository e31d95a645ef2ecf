import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Child, endChildren, rootPath } from "../support/child.ts";
import { commandsOf, IN_CONTAINERS } from "../support/readme.ts";

const run = promisify(execFile);

/** What has to be seen after each of the README's commands, in their order. */
const EXPECTED: readonly (readonly [start: string, seen: RegExp])[] = [
  ["curl -s -X POST localhost:8080/api/predict/", /^\{"predictions":\[\{"fare_amount":\d/],
  ["npm run predict -- -n 100", /100/],
  [
    "npm exec -- sluice traffic",
    /^250 requests in [^\n]*, 0 failed\.[\s\S]*^blue [\s\S]*^green [\s\S]*^all /m,
  ],
  ["npm run status", /blue[\s\S]*green/],
  ["npm exec -- sluice weights", /blue.*50[\s\S]*green.*50/],
  ["npm exec -- sluice flip green", /green/],
  ["npm exec -- sluice rollback", /blue/],
  ["npm exec -- sluice history", /1\.0\.1 looks good/],
  ["curl -s -X POST 'localhost:9900/admin/weights", /"drained":true/],
  ["curl -s -X POST localhost:9900/admin/rollback", /"weights":/],
  ["curl -s localhost:9900/admin/state", /"epoch":\d+/],
  ["npm run -s grpc:health", /"server": "SERVING"/],
  ["npm run -s grpc:predict", /"fare_amount": \d/],
  ["npm run -s grpc:predict -- --target http://127.0.0.1:8080", /"fare_amount": \d/],
  ["npm exec -- sluice rollout start", /preparing|shifting/],
  ["npm exec -- sluice rollout status", /green 1\.0\.1 against blue 1\.0\.0/],
  ["npm exec -- sluice rollout abort", /aborted/],
  ["npm exec -- sluice shadow start", /green \(1\.0\.1\) gets copies of 50 %/],
  ["npm exec -- sluice shadow status", /blue \(1\.0\.0\) answers/],
  ["npm exec -- sluice shadow stop", /no shadow runs/],
  ["npm exec -- sluice deploy", /to green at http:\/\/127\.0\.0\.1:8003[\s\S]*Nothing was changed\./],
  ["curl -s localhost:9900/metrics", /^sluice_requests_total\{/m],
  ["npm run -s train -- --csv data/sample.csv", /RMSE/],
  ["npm run -s evaluate --", /"rmse":/],
  ["npm run -s gate --", /"ships":true/],
  ["npm exec -- sluice check", /sluice\.yaml/],
  ["npm run bench -- small", /CPU µs\/request[\s\S]*Sluice, wire/],
];

/** Run by whoever runs this test; the first is started below, by its second half. */
const OUTSIDE = ["npm ci && npm start", "npm ci && npm test"];

/** Resolves once nobody listens on the port any more; the test's time-out is the bound. */
async function untilRefused(port: number): Promise<void> {
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.arrayBuffer().then(() => true),
      () => false,
    );
  while (await answers()) await new Promise((resolve) => setTimeout(resolve, 50));
}

let demo: Child;
beforeAll(async () => {
  demo = new Child("npm", ["start"], { group: true });
  await demo.printed(/Ctrl-C stops everything/);
}, 120_000);
afterAll(async () => {
  demo.signal("SIGINT"); // npm ends by the signal; the demo goes on until all is stopped
  await demo.exited();
  for (const port of [8080, 9900, 8001, 8002]) await untilRefused(port);
  await endChildren();
});

it("lists exactly the commands that are tested", () => {
  const tested = [...EXPECTED, ...IN_CONTAINERS];
  const untested = commandsOf("README.md").filter(
    (command) => !OUTSIDE.includes(command) && !tested.some(([start]) => command.startsWith(start)),
  );
  expect(untested).toEqual([]);
  expect(commandsOf("README.md").slice(0, 2)).toEqual(OUTSIDE);
});

for (const [start, seen] of EXPECTED) {
  it(`runs ${start}`, async () => {
    const command = commandsOf("README.md").find((line) => line.startsWith(start))!;
    const env = { ...process.env, NO_COLOR: "1", SLUICE_TESTS: undefined };
    const { stdout } = await run("sh", ["-c", command], {
      cwd: rootPath(""),
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(stdout).toMatch(seen);
  });
}
