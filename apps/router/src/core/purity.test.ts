import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((file) =>
  /(?<!\.test)\.ts$/.test(file),
);

// The linter forbids imports and globals; it cannot forbid one method of a global.
it("draws no random numbers of its own in core/", () => {
  const impure = files.filter((file) =>
    /Math\s*\.\s*random/.test(readFileSync(join(import.meta.dirname, file), "utf8")),
  );
  expect(files.length).toBeGreaterThan(10);
  expect(impure).toEqual([]);
});
