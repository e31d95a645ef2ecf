import { describe, expect, it } from "vitest";
import { cookieValue, queryValue } from "./request-facts.ts";

describe("a cookie", () => {
  it.each([
    ["id=7", "7"],
    ["a=1; id=7; b=2", "7"],
    ["a=1;id=7", "7"],
    ["  id = 7 ; a=1", "7"],
    ['id="7"', '"7"'],
    ["id=a=b==", "a=b=="],
    ["id=7; id=8", "7"],
    ["xid=1; id=7", "7"],
    ["id=%20", "%20"],
  ])("is found in %j", (field, value) => expect(cookieValue(field, "id")).toBe(value));

  it.each([
    undefined,
    "",
    ";",
    "; ;;",
    "=",
    "=7",
    "id",
    "id=",
    "id=  ; a=1",
    "ID=7",
    "xid=7",
    "id2=7",
    "a=id=7",
    "a; id; b",
  ])("is missing in %j", (field) => expect(cookieValue(field, "id")).toBeUndefined());

  it("is found whole, however large", () => {
    const value = "x".repeat(16_000);
    expect(cookieValue(`${"a=1; ".repeat(2000)}id=${value}`, "id")).toBe(value);
  });
});

describe("a query parameter", () => {
  it.each([
    ["/?id=7", "7"],
    ["/a?b=1&id=7&c=2", "7"],
    ["/?id=7&id=8", "7"],
    ["/?id=a=b", "a=b"],
    ["/?id=7?8", "7?8"],
    ["/?&&id=7", "7"],
    ["/?id=%37", "%37"],
    ["/?id=a+b", "a+b"],
  ])("is found in %s, as it was sent", (path, value) => expect(queryValue(path, "id")).toBe(value));

  it.each(["/", "/?", "/id=7", "/?id", "/?id=", "/?ID=7", "/?=7", "/?xid=7", "/?%69d=7", "/?a=id=7"])(
    "is missing in %s",
    (path) => expect(queryValue(path, "id")).toBeUndefined(),
  );
});
