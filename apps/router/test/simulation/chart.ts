/** Small line charts as SVG, readable on light and dark pages. */

export interface Line {
  readonly label: string;
  /** Index of a color, 0 to 3. */
  readonly color: number;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly thin?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** A dashed line across, with what it is. */
  readonly limit?: { readonly y: number; readonly label: string };
}

export interface Axis {
  readonly label: string;
  readonly ticks: readonly number[];
  readonly name: (value: number) => string;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 400, 64, 200, 56, 52];
const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-size:15px;font-weight:600}
.g{stroke:#8886;stroke-width:1}.l{stroke:#57606a;stroke-dasharray:6 4;fill:none}
.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#bc4c00;fill:#bc4c00}.c2{stroke:#8250df;fill:#8250df}.c3{stroke:#1a7f37;fill:#1a7f37}
path{fill:none!important}text.c0,text.c1,text.c2,text.c3{stroke:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.l{stroke:#9198a1}.c0{stroke:#58a6ff;fill:#58a6ff}.c1{stroke:#f0883e;fill:#f0883e}
.c2{stroke:#bc8cff;fill:#bc8cff}.c3{stroke:#3fb950;fill:#3fb950}}`;

export function draw(chart: Chart): string {
  const x = scale(chart.x.ticks, LEFT, WIDTH - RIGHT);
  const y = scale(chart.y.ticks, HEIGHT - BOTTOM, TOP);
  const parts = [
    `<text class="t" x="${LEFT}" y="22">${escaped(chart.title)}</text>`,
    ...chart.y.ticks.map((tick) => row(y(tick), chart.y.name(tick))),
    ...chart.x.ticks.map((tick) => text(x(tick), HEIGHT - BOTTOM + 20, chart.x.name(tick), "middle")),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, chart.x.label, "middle"),
    `<text x="14" y="${TOP - 14}" font-size="12">${escaped(chart.y.label)}</text>`,
    ...(chart.limit ? [limit(y(chart.limit.y), chart.limit.label)] : []),
    ...chart.lines.map((line) => path(line, x, y)),
    ...labels(chart.lines, y),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.title)}">\n<style>${STYLE}</style>\n${parts.join("\n")}\n</svg>\n`;
}

function scale(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  return (value) => {
    const inside = Math.min(Math.max(value, low), high);
    return Math.round((from + ((to - from) * (inside - low)) / (high - low)) * 10) / 10;
  };
}

function row(y: number, name: string): string {
  return `<path class="g" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>${text(LEFT - 8, y + 4, name, "end")}`;
}

function limit(y: number, label: string): string {
  return `<path class="l" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>${text(WIDTH - RIGHT + 8, y + 4, label, "start")}`;
}

function path({ color, points, thin }: Line, x: (v: number) => number, y: (v: number) => number): string {
  const d = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x(px)} ${y(py)}`).join("");
  return `<path class="c${color}" stroke-width="${thin ? 1 : 2.5}" d="${d}"/>`;
}

/** At the lines' ends, moved apart where they would cover each other. */
function labels(lines: readonly Line[], y: (v: number) => number): string[] {
  const named = lines
    .filter(({ label }) => label !== "")
    .map((line) => ({ line, at: y(line.points.at(-1)![1]) }));
  named.sort((a, b) => a.at - b.at);
  let above = Number.NEGATIVE_INFINITY;
  return named.map(({ line, at }) => {
    above = Math.max(at, above + 18);
    return `<text class="c${line.color}" x="${WIDTH - RIGHT + 8}" y="${above + 4}">${escaped(line.label)}</text>`;
  });
}

function text(x: number, y: number, content: string, anchor: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
