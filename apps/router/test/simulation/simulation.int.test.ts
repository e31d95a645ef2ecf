import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Findings, fill, plots, simulateAll, tables } from "./document.ts";
import { medianOf, RISKS, type Row, shareOf } from "./study.ts";

const docs = join(import.meta.dirname, "../../../../docs");
let findings: Findings;

// a minute of arithmetic, and several where the machine is busy
beforeAll(() => {
  findings = simulateAll();
}, 1_800_000);

const rule = (name: string) => findings.rules.find((row) => row.rule === name)!;
const worse = (row: Row, risk: (typeof RISKS)[number]) => row.worse[RISKS.indexOf(risk)]!;

describe("2,000 releases of a candidate that is no worse", () => {
  it("are rolled back in at most 1 % by four guards that share alpha, whether rates drift or not", () => {
    for (const result of [rule("Sluice, four guards").equal, rule("Sluice, four guards").drifting]) {
      expect(result.releases).toBe(2000);
      expect(shareOf(result)).toBeLessThanOrEqual(0.01);
    }
    expect(shareOf(rule("Sluice, one guard").drifting)).toBeLessThanOrEqual(0.01);
  });

  it("are rolled back wrongly by a repeated test and by fixed limits", () => {
    expect(shareOf(rule("z-test at 5 %, 60 looks").drifting)).toBeGreaterThan(0.2);
    expect(shareOf(rule("Flagger, 95 %").drifting)).toBeGreaterThan(0.1);
    expect(shareOf(rule("Argo, 95 %").drifting)).toBeGreaterThan(0.5);
  });
});

describe("a candidate that is worse, from a base of 1 % and with steps 5, 25, 50, 50", () => {
  it("is caught with four guards", () => {
    const four = rule("Sluice, four guards");
    expect(shareOf(worse(four, 3))).toBeGreaterThanOrEqual(0.88);
    expect(shareOf(worse(four, 5))).toBeGreaterThanOrEqual(0.995);
    expect(shareOf(worse(four, 20))).toBe(1);
    // four guards need four times the evidence of one: about one more error
    expect(medianOf(worse(four, 20))).toBeLessThanOrEqual(425);
  });

  it("is caught with one guard", () => {
    const one = rule("Sluice, one guard");
    expect(shareOf(worse(one, 3))).toBeGreaterThanOrEqual(0.94);
    expect(shareOf(worse(one, 5))).toBeGreaterThanOrEqual(0.995);
    expect(medianOf(worse(one, 20))).toBeLessThanOrEqual(400);
  });
});

describe("what happens to requests on their way", () => {
  it("leaves the false rate where it is, and would not if every attempt were charged", () => {
    expect(findings.charging).toHaveLength(5);
    for (const { mechanism, charged, naive } of findings.charging) {
      expect([mechanism, shareOf(charged)]).toEqual([mechanism, expect.toSatisfy((n: number) => n <= 0.01)]);
      expect([mechanism, shareOf(naive)]).toEqual([mechanism, expect.toSatisfy((n: number) => n > 0.1)]);
    }
  });
});

describe("1,000 releases judged by delayed truth, their candidate no worse", () => {
  it("are rolled back in at most 1 %, however late, disordered and incomplete it comes", () => {
    expect(findings.truths).toHaveLength(3);
    for (const { equal } of findings.truths) {
      expect(equal.releases).toBe(1000);
      expect(shareOf(equal)).toBeLessThanOrEqual(0.01);
    }
  });

  it("would be, if each repetition of an actual value counted; and doubled errors are still caught", () => {
    for (const { repeated, worse } of findings.truths) {
      expect(shareOf(repeated)).toBeGreaterThan(0.05);
      expect(shareOf(worse[1]!)).toBeGreaterThan(0.5);
    }
  });
});

describe("docs/decisions.md", () => {
  it("has the numbers that the seeds give", () => {
    const document = readFileSync(join(docs, "decisions.md"), "utf8");
    expect(fill(document, tables(findings))).toBe(document);
  });

  it("has the plots that the seeds give", () => {
    for (const [name, svg] of Object.entries(plots(findings))) {
      expect(readFileSync(join(docs, "decisions", name), "utf8")).toBe(svg);
    }
  });
});
