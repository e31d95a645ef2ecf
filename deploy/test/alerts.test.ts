import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { installed } from "../../test.shared.ts";
import { DEPLOY, PROMETHEUS, readRules, readYaml } from "./files.ts";

const run = promisify(execFile);
const TESTS = join(DEPLOY, "test/rules");
const files = readdirSync(TESTS).filter((file) => file.endsWith(".yml"));
const alerts = readRules().filter(({ alert }) => alert !== undefined);
const hasPromtool = installed("promtool");

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts?: readonly unknown[];
    }[];
  }[];
}

const checks = files
  .flatMap((file) => (readYaml(join(TESTS, file)) as RuleTests).tests)
  .flatMap((test) => test.alert_rule_test);

/** As GitHub makes them from headings. */
const anchors = readFileSync(join(DEPLOY, "../docs/operations.md"), "utf8")
  .split("\n")
  .filter((line) => /^#+ /.test(line))
  .map((line) => line.replace(/^#+ /, "").toLowerCase());

describe("the rules", () => {
  it.skipIf(!hasPromtool)("are valid, and so is the configuration", async () => {
    const { stdout } = await run("promtool", ["check", "config", join(PROMETHEUS, "prometheus.yml")]);
    expect(stdout).toContain("2 rule files found");
    expect(stdout).toContain("is valid prometheus config file syntax");
    expect(stdout).not.toContain("FAILED");
  });

  it.skipIf(!hasPromtool).for(files)(
    "fire and stay silent as rules/%s says",
    { timeout: 120_000 },
    async (file) => {
      const { stdout } = await run("promtool", ["test", "rules", join(TESTS, file)]);
      expect(stdout).toContain("SUCCESS");
    },
  );

  it("have names of their own", () => {
    const names = readRules().map(({ record, alert }) => record ?? alert);
    expect(names).toEqual([...new Set(names)]);
  });
});

describe.for(alerts.map(({ alert, ...rule }) => ({ alert: alert!, ...rule })))("$alert", (rule) => {
  it("has a test in which it fires and one in which it does not", () => {
    const fires = checks
      .filter(({ alertname }) => alertname === rule.alert)
      .map(({ exp_alerts = [] }) => exp_alerts.length > 0);
    expect(fires).toContain(true);
    expect(fires).toContain(false);
  });

  it("says what is wrong, how severe it is, and where to read what to do", () => {
    expect(rule.labels?.severity).toMatch(/^(critical|warning|info)$/);
    expect(rule.annotations?.summary).toMatch(/\S/);
    expect(rule.annotations?.description).toMatch(/\.$/);
    expect(rule.annotations?.runbook_url).toBe(`docs/operations.md#${rule.alert.toLowerCase()}`);
    expect(anchors).toContain(rule.alert.toLowerCase());
  });
});
