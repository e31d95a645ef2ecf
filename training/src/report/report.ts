import { rmseInterval } from "../fit/metrics.ts";
import type { Trained } from "../train.ts";
import { byDistance, byHour } from "./bins.ts";
import { errorBy, predictedAgainstActual, residuals } from "./charts.ts";
import { style } from "./style.ts";
import { escapeHtml } from "./svg.ts";
import { cleaning, coefficients, comparison } from "./tables.ts";

/** report.html: one page for a person, with everything in it. It has no time stamp: the same run gives the same page. */
export function renderReport(trained: Trained): string {
  const { artifact } = trained;
  const title = `${artifact.name} ${artifact.version}: how well it predicts`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${lead(trained)}</p>
${numbers(trained)}
<div class="scroll figures">${comparison(trained)}</div>
${pictures(trained)}
<h2>What the model has learned</h2>
<p>Fares are a sum: $${artifact.intercept.toFixed(2)} at the mean of every feature, and for each feature its coefficient. Beside
one unit of the feature stands what one standard deviation of it does, which says how much it matters over all trips. Features
that measure nearly the same share their effect, so single lines need not look plausible.</p>
<div class="scroll">${coefficients(trained)}</div>
${leftOut(trained.fit.leftOut)}
<h2>Which rows were used</h2>
<div class="scroll">${cleaning(trained)}</div>
<p class="note">Model digest <code>${artifact.digest}</code><br>Training data <code>${artifact.training_data.digest}</code></p>
</main></body></html>
`;
}

function lead({ artifact }: Trained): string {
  const { rows_read, rows_train, rows_test, seed } = artifact.training_data;
  const [read, train, test] = [rows_read, rows_train, rows_test].map((count) =>
    count.toLocaleString("en-US"),
  );
  return `A linear regression on recipe “${escapeHtml(artifact.recipe)}”, ${artifact.features.length} features. Of ${read} rows,
${train} were fitted and ${test} others gave the figures on this page: one of each five rows whose fares are alike odd for
their distance, drawn by seed ${seed}, so that both sides have their share of odd fares.`;
}

function numbers({ test }: Trained): string {
  const [low, high] = rmseInterval(test.fares, test.predictions);
  const near =
    test.fares.filter((fare, i) => Math.abs(test.predictions[i]! - fare) <= 2).length / test.fares.length;
  const box = (value: string, text: string) => `<div><b>${value}</b><span>${text}</span></div>`;
  return `<div class="numbers">${box(`$${test.model.rmse.toFixed(2)}`, `RMSE; 95 %: $${low.toFixed(2)} to $${high.toFixed(2)}`)}
${box(`$${test.model.mae.toFixed(2)}`, "mean absolute error")}${box(test.model.r2.toFixed(3), "R², variance explained")}
${box(`${(near * 100).toFixed(0)} %`, "of trips within $2")}</div>`;
}

function pictures(trained: Trained): string {
  const { fares, predictions } = trained.test;
  return `<div class="pair">
<section><h2>Predicted against actual</h2><p class="note">Darker cells hold more trips; the dashed line is a perfect prediction.
Flat fares from Kennedy airport stand out as columns.</p>${predictedAgainstActual(fares, predictions)}</section>
<div><section><h2>Residuals</h2><p class="note">To the right of 0 the model asks too much, to the left too little.</p>${residuals(fares, predictions)}</section></div>
<section><h2>Error by distance</h2><p class="note">Trips of length 0 have fares that were agreed on: no model knows them. Above each bar: its trips.</p>${errorBy(byDistance(trained), "straight distance, kilometres")}</section>
<section><h2>Error by hour</h2><p class="note">Hours of the night have few trips, and long ones.</p>${errorBy(byHour(trained), "hour of the pickup")}</section>
</div>`;
}

function leftOut(sentences: readonly string[]): string {
  if (sentences.length === 0) return "";
  return `<h2>Columns that were left out</h2><ul>${sentences.map((text) => `<li>${escapeHtml(text)}</li>`).join("")}</ul>`;
}
