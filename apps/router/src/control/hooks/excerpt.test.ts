import { describe, expect, it } from "vitest";
import { excerpt, Output } from "./excerpt.ts";

const SECRET = "s3cret-0123456789";
/** Bytes that are kept. */
const KEPT = 8192;

function said(text: string, { secrets = [SECRET], brokenOff = false, pieces = 1000 } = {}): string {
  const output = new Output(secrets);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieces) output.add(bytes.subarray(at, at + pieces));
  if (brokenOff) output.breakOff();
  return output.text;
}

describe("what is kept of a hook's output", () => {
  it("is its end, at most 8 KiB", () => {
    expect(said(`${"a".repeat(KEPT)}the end`)).toBe(`${"a".repeat(KEPT - 7)}the end`);
  });

  it("has no piece of a secret, wherever the output is cut", () => {
    for (let cut = 0; cut <= SECRET.length; cut++) {
      const text = said(`begin ${SECRET}${"-".repeat(KEPT - cut)}`);
      expect(text.replace(/-+$/, "")).toBe(cut === 0 ? "" : "***");
    }
  });

  it("has no piece of a secret, wherever its reader stops", () => {
    for (let end = 1; end <= SECRET.length; end++) {
      expect(said(`token ${SECRET.slice(0, end)}`, { brokenOff: true })).toBe("token ***");
    }
    expect(said("token s3", {})).toBe("token s3");
  });

  it("has no piece of a secret that is cut inside a character", () => {
    for (let cut = 1; cut <= 9; cut++)
      expect(said(`${"ä".repeat(5)}${"-".repeat(KEPT - cut)}`, { secrets: ["ä".repeat(5)] })).not.toContain(
        "ä",
      );
  });

  it("has no rest of a secret that contains another", () => {
    expect(said("abcdefgh abcd", { secrets: ["abcd", "abcdefgh"] })).toBe("*** ***");
  });

  it("has words that are too short to be secrets", () => {
    expect(said("yes or no", { secrets: ["no", "yes"] })).toBe("yes or no");
  });

  it("is one line in a sentence, its end if it is long", () => {
    expect(excerpt("a\u001b\n b\t c")).toBe("a b c");
    expect(excerpt("x".repeat(400))).toBe(`…${"x".repeat(300)}`);
  });
});
