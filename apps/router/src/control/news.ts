import type { Channel } from "../channel.ts";
import type { Report } from "../core/report.ts";
import type { Parts } from "./parts.ts";
import type { HealthChange } from "./target-watch.ts";

/** Snapshots go down to the data plane, reports come up from it, and news goes to whoever listens. */
export function connect(parts: Parts, channel: Channel): void {
  const { store, watch, shadows, weightChanges, events } = parts;
  store.onSnapshot((snapshot) => {
    channel.publish(snapshot);
    watch.sync(store.view.urls);
    queueMicrotask(() => shadows.check());
  });
  store.onChange((entry) => {
    weightChanges.note(entry.kind);
    events.publish("change", { ...entry, epoch: store.view.snapshot.epoch });
  });
  parts.book.onReport((report) => tellReport(parts, report));
}

function tellReport(parts: Parts, report: Report): void {
  parts.collector.note(report);
  if (report.inherited) parts.activity.forget();
  parts.watch.onReport(report);
  parts.shadows.note(report);
  parts.predictions.look();
  parts.feedback.sync();
  parts.shadowFile.look();
  if (report.served) parts.feedback.note(report.served);
}

/** A target's health has changed: for the routing table, and for whoever listens. */
export function tellHealth({ store, events }: Parts, change: HealthChange): void {
  store.setHealth(change.target, change.to);
  const { epoch, colors } = store.view.snapshot;
  const of = colors.filter(({ targets }) => targets.some(({ url }) => url === change.target));
  events.publish("health", { epoch, colors: of.map(({ name }) => name), ...change });
}
