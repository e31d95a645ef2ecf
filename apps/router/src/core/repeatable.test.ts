import { expect, it } from "vitest";
import { compileRepeatable } from "./repeatable.ts";

const declared = compileRepeatable(["/api/predict/", "/a/*/b", "/x/*"]);

it("repeats the idempotent methods of RFC 9110 on any path", () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
    expect(declared(method, "/any")).toBe(true);
});

it("repeats no other method, declared path or not", () => {
  for (const method of ["PATCH", "LOCK", "get", "post", "PROPFIND", ""]) {
    expect(declared(method, "/api/predict/")).toBe(false);
  }
});

it("repeats nothing but idempotent methods where no path is declared", () => {
  expect(compileRepeatable([])("POST", "/api/predict/")).toBe(false);
});

it.each([
  ["/api/predict/", true],
  ["/api/predict/?verbose=1", true],
  ["/api/predict/?", true],
  ["/api/predict", false],
  ["/api/predict//", false],
  ["/API/predict/", false],
  ["/api/%70redict/", false],
  ["/api/predict/x", false],
  ["/?/api/predict/", false],
  ["//api/predict/", false],
])("compares a POST path byte for byte, without its query: %s", (path, repeatable) => {
  expect(declared("POST", path)).toBe(repeatable);
});

it.each([
  ["/a/1/b", true],
  ["/a/x%2Fy/b", true],
  ["/a/1;v=2/b?q=/", true],
  ["/a/*/b", true],
  ["/a//b", false],
  ["/a/b", false],
  ["/a/1/2/b", false],
  ["/a/1/b/", false],
  ["/a/1/c?/b", false],
  ["/x/1", true],
  ["/x/", false],
  ["/x", false],
  ["/x/1/", false],
])("lets * stand for exactly one segment that is not empty: %s", (path, repeatable) => {
  expect(declared("POST", path)).toBe(repeatable);
});

it.each(["/a/../b", "/a/./b", "/a/%2e%2E/b", "/a/.%2e/b", "/x/.."])(
  "does not let * stand for a dot segment, which an upstream may resolve to another path: %s",
  (path) => {
    expect(declared("POST", path)).toBe(false);
  },
);
