import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkConfig } from "./load.ts";
import { allOptions } from "./options.ts";
import { configurationPage, configurationTable } from "./table.ts";

test("docs/configuration.md is what the schema says", () => {
  const page = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
  expect(page, "run: npm exec sluice -- check --table > docs/configuration.md").toBe(configurationPage());
});

test("the table has every option of a loaded configuration, with its default", () => {
  const config = checkConfig({ colors: { blue: { weight: 1 } } }, {}, "sluice.yaml");
  const tops = new Set(allOptions().map(({ key }) => key.split(/[.[]/)[0]));
  expect([...tops].sort()).toEqual(Object.keys(config).sort());
  expect(configurationTable()).toContain("| `health.interval` | `2s` | duration |");
  expect(configurationTable()).toContain("| `colors.NAME.weight` | required |");
  expect(configurationTable()).toContain("`admin.tokens[].scope`");
});

test("every option says what it does", () => {
  for (const { key, about } of allOptions()) expect(about, key).toMatch(/^.{10,}[.`)]$/);
});
