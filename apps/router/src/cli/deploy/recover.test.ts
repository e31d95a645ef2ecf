import { describe, expect, test } from "vitest";
import { state } from "../../../test/support/deploy-state.ts";
import { type JournalEntry, PHASES } from "./journal.ts";
import { decide } from "./recover.ts";

describe("what to do about a killed deploy", () => {
  const entry = (phase: string, undoing = false) =>
    ({ phase, undoing, color: "green", from: "blue" }) as JournalEntry;
  test.each(PHASES)("killed in %s, its version has no weight: clean up", (phase) => {
    expect(decide(entry(phase), state({ blue: 1, green: 0 }))).toBe("clean up");
    expect(decide(entry(phase, true), state({ blue: 1, green: 0 }))).toBe("clean up");
  });
  test.each(PHASES.filter((phase) => phase !== "clean"))(
    "killed in %s: finish what has all weight, go back from a part",
    (phase) => {
      expect(decide(entry(phase), state({ blue: 0, green: 1 }))).toBe("finish");
      expect(decide(entry(phase), state({ blue: 1, green: 1 }))).toBe("go back");
      expect(decide(entry(phase, true), state({ blue: 0, green: 1 }))).toBe("go back");
    },
  );
  test("killed in clean, before a color that was named had lost its part: clean up", () => {
    expect(decide(entry("clean"), state({ blue: 90, green: 10 }))).toBe("clean up");
  });
});
