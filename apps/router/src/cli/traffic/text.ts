import { formatRate, formatSeconds } from "../format.ts";
import { table } from "../table.ts";
import type { FeedbackSummary } from "./feedback.ts";
import type { TrafficSummary } from "./run.ts";
import type { ColorSummary } from "./tally.ts";

/** What came of it, for people. */
export function summaryText(summary: TrafficSummary): string {
  const { requests, failed, seconds, colors, errors, dropped, feedback } = summary;
  const rate = formatRate(seconds > 0 ? requests / seconds : 0);
  const lines = [`${requests} requests in ${formatSeconds(seconds)} (${rate} a second), ${failed} failed.`];
  if (dropped > 0)
    lines.push(`${dropped} rows of the file were left out: the trainer would not take them, either.`);
  const reasons = Object.entries(errors).map(([reason, count]) => `${reason} ${count}`);
  if (reasons.length > 0) lines.push(`Without an answer: ${reasons.join(", ")}.`);
  if (feedback) lines.push(feedbackText(feedback));
  if (requests === 0) return lines.join("\n");
  const head = ["color", "requests", "failed", "statuses", "mean", "p50", "p95", "p99", "max"];
  const rows = [...Object.entries(colors), ["all", summary] as const].map(([name, color]) =>
    row(name, color),
  );
  return [...lines, "", table(head, rows, [1, 2, 4, 5, 6, 7, 8])].join("\n");
}

function feedbackText({ accepted, unknown, failed, error }: FeedbackSummary): string {
  const missed = unknown > 0 ? `, ${unknown} that it does not remember` : "";
  const lost = failed > 0 ? `; ${failed} could not be posted: ${error}` : ".";
  return `The router has taken the actual fares of ${accepted} requests${missed}${lost}`;
}

function row(name: string, { requests, failed, statuses, latency }: ColorSummary): string[] {
  const codes = Object.entries(statuses).map(
    ([status, count]) => `${status === "0" ? "none" : status} × ${count}`,
  );
  const times = latency ? [latency.mean, latency.p50, latency.p95, latency.p99, latency.max] : [];
  return [
    name,
    String(requests),
    String(failed),
    codes.join(", "),
    ...times.map((time) => formatSeconds(time)),
  ];
}
