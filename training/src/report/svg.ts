/** Text that is safe between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Coordinates with one decimal, to keep the file small. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A drawing area inside a chart, and how values become pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

const margin = { left: 52, right: 24, top: 12, bottom: 40 };

/** @param xs, ys first and last value of the axes. */
export function frame(width: number, height: number, xs: [number, number], ys: [number, number]): Frame {
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  return {
    width,
    height,
    x: (value) => margin.left + ((value - xs[0]) / (xs[1] - xs[0])) * inner.width,
    y: (value) => margin.top + inner.height - ((value - ys[0]) / (ys[1] - ys[0])) * inner.height,
  };
}

export interface Axis {
  readonly label: string;
  /** Value and text of each tick. */
  readonly ticks: readonly (readonly [number, string])[];
}

/** A chart with axes, its marks, and a description for those who cannot see it. */
export function chart(area: Frame, title: string, x: Axis, y: Axis, marks: string): string {
  const bottom = area.height - margin.bottom;
  const rows = y.ticks.map(([value, text]) => {
    const at = px(area.y(value));
    const line = `<line class="grid" x1="${margin.left}" x2="${area.width - margin.right}" y1="${at}" y2="${at}"/>`;
    return `${line}<text x="${margin.left - 7}" y="${at}" dy=".32em" text-anchor="end">${escapeHtml(text)}</text>`;
  });
  const columns = x.ticks.map(([value, text]) => {
    return `<text x="${px(area.x(value))}" y="${bottom + 16}" text-anchor="middle">${escapeHtml(text)}</text>`;
  });
  const middle = (margin.top + bottom) / 2;
  return `<svg viewBox="0 0 ${area.width} ${area.height}" role="img" aria-label="${escapeHtml(title)}">
${rows.join("")}${columns.join("")}
<line class="axis" x1="${margin.left}" x2="${area.width - margin.right}" y1="${bottom}" y2="${bottom}"/>
<text class="label" x="${(margin.left + area.width) / 2}" y="${area.height - 5}" text-anchor="middle">${escapeHtml(x.label)}</text>
<text class="label" transform="rotate(-90 13 ${middle})" x="13" y="${middle}" text-anchor="middle">${escapeHtml(y.label)}</text>
${marks}
</svg>`;
}

/** Round ticks from `first` to `last`. */
export function ticks(
  first: number,
  last: number,
  step: number,
  text: (value: number) => string = String,
): Axis["ticks"] {
  const count = Math.floor((last - first) / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => [first + i * step, text(first + i * step)] as const);
}

/** The step of 1, 2 or 5 times a power of ten that makes about `count` of them up to `last`. */
export function niceStep(last: number, count: number): number {
  const power = 10 ** Math.floor(Math.log10(last / count));
  return power * ([1, 2, 5, 10].find((factor) => power * factor * count >= last) ?? 10);
}
