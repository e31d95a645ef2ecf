import { expect, it } from "vitest";
import { snapshotOf } from "../../test/support/plane.ts";
import type { Report } from "../core/report.ts";
import type { Link } from "./link.ts";
import type { Down } from "./messages.ts";
import { WorkerChannel } from "./worker-channel.ts";

const report = (worker: number, epoch = 1): Report => ({ worker, epoch, colors: {}, connections: 0 });

function fakeLink(id: number) {
  const sent: Down[] = [];
  const fake = {
    id,
    gone: false,
    report: report(id),
    send: (message: Down) => sent.push(message),
    collect: async () => fake.report,
  };
  return { fake, link: fake as unknown as Link, sent };
}

function channelOf(...links: ReturnType<typeof fakeLink>[]) {
  return new WorkerChannel(new Map(links.map(({ link }) => [link.id, link])));
}

it("holds snapshots back until the first checks are done, and then sends the newest alone", () => {
  const one = fakeLink(1);
  const channel = channelOf(one);
  channel.publish(snapshotOf({}, { epoch: 4 }));
  channel.publish(snapshotOf({}, { epoch: 5 }));
  expect([one.sent.length, channel.epoch]).toEqual([0, 0]);
  channel.open();
  expect(one.sent).toMatchObject([{ kind: "snapshot", snapshot: { epoch: 5 } }]);
  expect(channel.epoch).toBe(5);
});

it("collects from those that live, and hears nothing of those that are gone", async () => {
  const [one, two] = [fakeLink(1), fakeLink(2)];
  const channel = channelOf(one, two);
  const heard: number[] = [];
  channel.onReport(({ worker }) => heard.push(worker));
  two.fake.gone = true;
  channel.noted(report(1), one.link);
  channel.noted(report(2), two.link);
  expect(heard).toEqual([1]);
  expect(await channel.collect()).toEqual([1]);
});
