import { expect, it } from "vitest";
import { testPlane } from "../../test/support/control-plane.ts";
import type { SpanCounts } from "../core/report.ts";

const OTLP = "http://collector:4318/v1/traces";
const tracing = { otlp: OTLP, headers: {}, sample: 1, service_name: "sluice" };

async function scene() {
  const { channel, clock, log } = await testPlane({ tracing });
  return {
    clock,
    report(worker: number, spans: Partial<SpanCounts>, inherited = false) {
      const counts = { exported: 0, queueFull: 0, failed: 0, ...spans };
      channel.set({ worker, epoch: 1, colors: {}, connections: 0, inherited, spans: counts });
      channel.report(worker);
    },
    said: () => log.lines.filter(({ message }) => /collector/.test(message)).map(({ level }) => level),
    text: () => log.text,
  };
}

it("a collector that takes no spans is in the log once for each outage, of all workers", async () => {
  const { report, said, text, clock } = await scene();
  report(0, { exported: 10 });
  expect(said()).toEqual([]);
  report(0, { exported: 10, failed: 512 });
  report(1, { queueFull: 3 });
  report(0, { exported: 10, failed: 1024 });
  expect(said()).toEqual(["warn"]);
  expect(text()).toContain(`warn: The collector at ${OTLP} does not take spans: it is gone`);

  report(0, { exported: 20, failed: 1024 });
  expect(said(), "the loss is fresh").toEqual(["warn"]);
  await clock.advance(60_000);
  report(1, { queueFull: 3 });
  expect(said(), "nothing was taken").toEqual(["warn"]);
  report(0, { exported: 30, failed: 1024 });
  expect(said()).toEqual(["warn", "info"]);
  report(1, { queueFull: 4 });
  expect(said()).toEqual(["warn", "info", "warn"]);
});

it("what a worker lost under another control plane is old news, and one that began anew counts from 0", async () => {
  const { report, said } = await scene();
  report(0, { failed: 512 }, true);
  report(0, { failed: 512 });
  expect(said()).toEqual([]);
  report(0, { failed: 5 });
  expect(said()).toEqual(["warn"]);
});
