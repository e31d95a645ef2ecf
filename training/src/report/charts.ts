import { type Bin, root } from "./bins.ts";
import { chart, escapeHtml, frame, niceStep, px, ticks } from "./svg.ts";

const dollars = (value: number) => `$${value}`;
const plain = (count: number) => count.toLocaleString("en-US");

/** Predicted against actual fares as a field of cells, the darker the more trips; the diagonal is where they agree. */
export function predictedAgainstActual(fares: Float64Array, predictions: Float64Array): string {
  const last = 80;
  const area = frame(560, 460, [0, last], [0, last]);
  const counts = new Map<number, number>();
  let outside = 0;
  fares.forEach((fare, i) => {
    const predicted = predictions[i]!;
    if (fare >= last || predicted >= last) outside++;
    else
      counts.set(
        Math.floor(fare) * last + Math.floor(predicted),
        (counts.get(Math.floor(fare) * last + Math.floor(predicted)) ?? 0) + 1,
      );
  });
  const most = Math.log1p(Math.max(1, ...counts.values()));
  const size = { width: px(area.x(1) - area.x(0)), height: px(area.y(0) - area.y(1)) };
  const cells = [...counts].map(([cell, count]) => {
    const actual = Math.floor(cell / last);
    const opacity = (0.15 + (0.85 * Math.log1p(count)) / most).toFixed(2);
    const place = `x="${px(area.x(actual))}" y="${px(area.y((cell % last) + 1))}"`;
    const title = `<title>${plain(count)} of $${actual}, predicted $${cell % last}</title>`;
    return `<rect class="mark" ${place} width="${size.width}" height="${size.height}" opacity="${opacity}">${title}</rect>`;
  });
  const diagonal = `<line class="ideal" x1="${px(area.x(0))}" y1="${px(area.y(0))}" x2="${px(area.x(last))}" y2="${px(area.y(last))}"/>`;
  const axis = ticks(0, last, 10, dollars);
  const svg = chart(
    area,
    "Predicted against actual fares",
    { label: "actual fare", ticks: axis },
    { label: "predicted fare", ticks: axis },
    cells.join("") + diagonal,
  );
  return (
    svg +
    (outside > 0 ? `<p class="note">Not drawn: trips above $${last}, ${plain(outside)} of them.</p>` : "")
  );
}

/** How often predictions are off by how much. The outermost bars hold everything beyond. */
export function residuals(fares: Float64Array, predictions: Float64Array): string {
  const reach = 12;
  const counts = new Array<number>(2 * reach).fill(0);
  fares.forEach((fare, i) => {
    const bin = Math.floor(predictions[i]! - fare) + reach;
    counts[Math.min(2 * reach - 1, Math.max(0, bin))]!++;
  });
  const most = Math.max(...counts);
  const step = niceStep(most, 5);
  const area = frame(560, 300, [-reach, reach], [0, most * 1.05]);
  const bars = counts.map((count, i) =>
    bar(
      area,
      i - reach,
      i - reach + 1,
      count,
      `${plain(count)} trips off by $${i - reach} to $${i - reach + 1}`,
    ),
  );
  const label = (value: number) =>
    Math.abs(value) === reach ? `${value < 0 ? "≤ −" : "≥ "}$${reach}` : signed(value);
  const xAxis = { label: "predicted minus actual", ticks: ticks(-reach, reach, 4, label) };
  return chart(
    area,
    "Residuals",
    xAxis,
    { label: "trips", ticks: ticks(0, most, step, plain) },
    bars.join(""),
  );
}

/** The error of each bin as bars, with the number of trips above each where there is room. */
export function errorBy(bins: readonly Bin[], label: string): string {
  const most = Math.max(...bins.map((bin) => root(bin))) || 1;
  const area = frame(560, 300, [0, bins.length], [0, most * 1.05]);
  const bars = bins.map((bin, i) => {
    const text = `${bin.name}: RMSE $${root(bin).toFixed(2)}, on average ${signed(bin.errors / (bin.count || 1), 2)}, ${plain(bin.count)} trips`;
    return bar(area, i, i + 1, root(bin), text);
  });
  const roomy = bins.length <= 12;
  const counts = roomy ? bins.map((bin, i) => countAbove(area, i + 0.5, bin)) : [];
  const every = roomy ? 1 : 3;
  const names = bins.flatMap((bin, i) => (i % every === 0 ? [[i + 0.5, bin.name] as const] : []));
  const yAxis = { label: "RMSE", ticks: ticks(0, most, niceStep(most, 5), dollars) };
  return chart(area, `Error by ${label}`, { label, ticks: names }, yAxis, bars.join("") + counts.join(""));
}

function countAbove(area: ReturnType<typeof frame>, at: number, bin: Bin): string {
  const place = `x="${px(area.x(at))}" y="${px(area.y(root(bin)) - 4)}" text-anchor="middle"`;
  return `<text class="count" ${place}>${plain(bin.count)}</text>`;
}

function bar(
  area: ReturnType<typeof frame>,
  from: number,
  to: number,
  height: number,
  title: string,
): string {
  const place = `x="${px(area.x(from) + 1)}" y="${px(area.y(height))}"`;
  const size = `width="${px(area.x(to) - area.x(from) - 2)}" height="${px(area.y(0) - area.y(height))}"`;
  return `<rect class="mark" ${place} ${size}><title>${escapeHtml(title)}</title></rect>`;
}

/** `+$1.20`, `−$1.20`. */
export function signed(value: number, digits = 0): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? `$${text}` : `${value < 0 ? "−" : "+"}$${text}`;
}
