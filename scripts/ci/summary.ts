// The job's summary: what was trained, and how well it predicts. `npm run ci:summary`
import { script, summarize } from "./github.ts";
import { type Trained, trainedModels } from "./models.ts";

await script(() => {
  const models = trainedModels("artifacts");
  summarize(
    [
      "### Trained models",
      "",
      "| version | recipe | RMSE, $ | MAE, $ | R² | rows read | used | to fit | to test | digest |",
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
      ...models.map(row),
    ].join("\n"),
  );
  return 0;
});

function row({ version, recipe, rmse, mae, r2, rows, digest }: Trained): string {
  const errors = [rmse, mae, r2].map((value) => value.toFixed(4));
  const counts = [rows.read, rows.used, rows.train, rows.test].map((count) => count.toLocaleString("en"));
  return `| ${[version, recipe, ...errors, ...counts, `\`${digest}\``].join(" | ")} |`;
}
