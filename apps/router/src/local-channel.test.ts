import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { snapshotOf, testPlane } from "../test/support/plane.ts";
import { send, url } from "../test/support/requests.ts";
import type { Report } from "./core/report.ts";
import { LocalChannel } from "./local-channel.ts";

const colors = { blue: { weight: 1, targets: [url(1)] } };

const open: LocalChannel[] = [];
function channel() {
  const { plane } = testPlane(colors);
  const local = new LocalChannel(plane);
  open.push(local);
  const reports: Report[] = [];
  local.onReport((report) => reports.push(report));
  return { plane, local, reports };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
  vi.useRealTimers();
});

it("acknowledges a snapshot by a report of its epoch, without waiting", () => {
  const { local, reports } = channel();
  const snapshot = snapshotOf(colors);
  local.publish(snapshot);
  vi.advanceTimersByTime(1);
  expect(reports.map(({ epoch }) => epoch)).toEqual([snapshot.epoch]);
});

it("serves by a snapshot at once", () => {
  const { local, plane } = channel();
  local.publish(snapshotOf({ blue: { weight: 1, targets: [url(7)] } }));
  expect(send(plane).ports).toEqual([7]);
});

it("makes one report of many errors in one turn", () => {
  const { plane, reports } = channel();
  for (let i = 0; i < 10; i++) send(plane, { method: "POST" }, () => "reset");
  expect(reports).toHaveLength(0);
  vi.advanceTimersByTime(1);
  expect(reports).toHaveLength(1);
  expect(reports[0]!.colors.blue!.targets[url(1)]!.errors).toBe(10);
  send(plane, { method: "POST" }, () => "reset");
  vi.advanceTimersByTime(1);
  expect(reports).toHaveLength(2);
});

it("reports four times a second when nothing is urgent", () => {
  const { reports } = channel();
  vi.advanceTimersByTime(1000);
  expect(reports).toHaveLength(4);
});

it("tells every listener the same", () => {
  const { local, reports } = channel();
  const others: Report[] = [];
  local.onReport((report) => others.push(report));
  vi.advanceTimersByTime(250);
  expect(others).toEqual(reports);
  expect(others).toHaveLength(1);
});

it("collects what is true now, and tells listeners of it", async () => {
  const { local, plane, reports } = channel();
  send(plane);
  expect(await local.collect()).toEqual([0]);
  expect(reports.map(({ colors }) => colors.blue!.requests)).toEqual([{ "GET 200": 1 }]);
});

it("says nothing more once it is closed", () => {
  const { local, plane, reports } = channel();
  send(plane, {}, () => "reset");
  local.close();
  vi.advanceTimersByTime(1000);
  expect(reports).toHaveLength(0);
});
