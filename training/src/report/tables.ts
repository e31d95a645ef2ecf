import { type Dropped, type Rule, rules } from "../data/clean.ts";
import type { Metrics } from "../fit/metrics.ts";
import type { Trained } from "../train.ts";
import { signed } from "./charts.ts";
import { escapeHtml } from "./svg.ts";

const whole = (count: number) => count.toLocaleString("en-US");

/** The model beside what it has to beat. */
export function comparison({ test, artifact }: Trained): string {
  const row = (name: string, metrics: Metrics, kind = "") =>
    `<tr${kind}><th>${escapeHtml(name)}</th><td>$${metrics.rmse.toFixed(2)}</td><td>$${metrics.mae.toFixed(2)}</td><td>${r2Text(metrics.r2)}</td></tr>`;
  return `<table><thead><tr><th></th><th>RMSE</th><th>mean absolute error</th><th>R²</th></tr></thead><tbody>
${row(`${artifact.name} ${artifact.version} (${artifact.recipe})`, test.model, ' class="own"')}
${row("always the mean fare", test.baselines.mean_fare)}
${row("the published tariff, without waiting and tolls", test.baselines.tariff_formula)}
</tbody></table>`;
}

export function cleaning({ file }: Trained): string {
  const lines = (Object.keys(rules) as Rule[]).map((rule) => cleaningRow(rule, file.dropped));
  return `<table><thead><tr><th>rule</th><th>a row falls if it</th><th>rows</th></tr></thead><tbody>${lines.join("")}
<tr class="own"><th>kept</th><td class="text"></td><td>${whole(file.trips.length)}</td></tr></tbody></table>`;
}

function cleaningRow(rule: Rule, dropped: Dropped): string {
  return `<tr><th><code>${rule}</code></th><td class="text">${escapeHtml(rules[rule])}</td><td>${whole(dropped[rule])}</td></tr>`;
}

/** Every coefficient with what it measures, the strongest first. */
export function coefficients({ fit }: Trained): string {
  const rows = fit.features.map((feature, i) => ({ feature, effect: fit.coefficients[i]!, sd: fit.sd[i]! }));
  rows.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  const most = Math.abs(rows[0]!.effect) || 1;
  const lines = rows.map(({ feature, effect, sd }) => {
    const share = ((Math.abs(effect) / most) * 50).toFixed(1);
    const side = effect < 0 ? `right:50%;width:${share}%` : `left:50%;width:${share}%`;
    const bar = `<span class="bar"><i class="${effect < 0 ? "less" : "more"}" style="${side}"></i></span>`;
    const cells = `<td>${signed(effect / sd, 2)}</td><td>${signed(effect, 2)}</td><td>${bar}</td>`;
    return `<tr><th><code>${feature.name}</code></th><td class="text">${escapeHtml(feature.meaning)}</td>${cells}</tr>`;
  });
  return `<table class="wide"><thead><tr><th>feature</th><th>what it measures</th><th>for one unit</th><th>for one s.d.</th><th></th></tr></thead>
<tbody>${lines.join("\n")}</tbody></table>`;
}

/** The mean fare explains nothing: 0, not the "-0.000" of rounding. */
function r2Text(r2: number): string {
  return Math.abs(r2) < 0.0005 ? "0.000" : r2.toFixed(3);
}
