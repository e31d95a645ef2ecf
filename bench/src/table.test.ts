import { expect, it } from "vitest";
import { markdownOf } from "./table.ts";

it("writes a report as Markdown", () => {
  const rows = [
    ["nginx", "1.00"],
    ["Caddy", "–"],
  ];
  expect(
    markdownOf("small", { title: "Small", head: ["proxy", "ms"], rows, note: "Medians.\nNot quiet." }),
  ).toBe(
    `### small

| proxy | ms |
| --- | ---: |
| nginx | 1.00 |
| Caddy | – |

Medians. Not quiet.
`,
  );
});
