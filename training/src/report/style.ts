/** The report's style: readable in light and dark, on paper too, with nothing loaded from elsewhere. */
export const style = `
:root { color-scheme: light dark; --ink: #1d2530; --soft: #5b6776; --paper: #fff; --line: #dfe4ea; --mark: #2563a8;
  --less: #b4532a; --tint: #eef4fb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #9aa7b5; --paper: #14191f; --line: #2c3540;
  --mark: #6cb0f5; --less: #f0915f; --tint: #1c2733; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 1.7rem; margin: 0 0 4px; } h2 { font-size: 1.15rem; margin: 40px 0 4px; }
p { margin: 4px 0 12px; max-width: 75ch; } .note, .lead { color: var(--soft); } .note { font-size: .85rem; }
.numbers { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0; }
.numbers div { background: var(--tint); border-radius: 8px; padding: 10px 18px; min-width: 150px; }
.numbers b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
.numbers span { color: var(--soft); font-size: .85rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 8px 32px; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
svg .label { fill: var(--ink); } svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); }
svg .mark { fill: var(--mark); } svg .ideal { stroke: var(--less); stroke-width: 1.5; stroke-dasharray: 5 4; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; } .wide { width: 100%; }
.scroll { overflow-x: auto; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child, .text, thead th:nth-child(2):not(:last-child) { text-align: left; font-weight: normal; }
thead th { color: var(--soft); font-weight: normal; font-size: .8rem; } .own th, .own td { font-weight: 600; }
.figures thead th:nth-child(2) { text-align: right; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.bar { display: block; position: relative; width: 140px; height: 1.1em; background: linear-gradient(var(--line), var(--line)) 50%/1px 100% no-repeat; }
.bar i { position: absolute; top: 25%; height: 50%; } .more { background: var(--mark); } .less { background: var(--less); }
`;
