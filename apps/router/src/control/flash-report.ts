import type { RecentActivity } from "./activity.ts";
import type { EventHub } from "./events.ts";
import type { ReportBook } from "./report-book.ts";
import type { Store } from "./store.ts";

export interface FlashReportParts {
  readonly store: Pick<Store, "view">;
  readonly book: ReportBook;
  readonly activity: RecentActivity;
  readonly events: EventHub;
}

/** Numbers for whoever watches; nobody is asked for them while nobody does. */
export function flashReport({ store, book, activity, events }: FlashReportParts): void {
  if (events.listeners === 0) return;
  const { epoch, revision, colors } = store.view.snapshot;
  const totals = book.totals();
  const of = ({ name, share }: { name: string; share: number }) => {
    const inFlight = totals[name]?.inFlight ?? 0;
    const tunnels = totals[name]?.tunnels ?? 0;
    return { name, share, in_flight: inFlight, tunnels, ...activity.of(name) };
  };
  const held = totals.none?.held ?? 0;
  events.flash("report", { epoch, revision, held, colors: colors.map(of) });
}
