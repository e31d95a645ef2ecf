import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { problem, problemBody } from "../src/index.ts";

describe("a problem document", () => {
  const app = new Hono();
  app.get("/refused", (c) => {
    c.header("Allow", "POST");
    return problem(c, { status: 405, detail: "Use POST.", hint: 7, nothing: undefined });
  });

  it("has the status, the media type and the members of RFC 9457", async () => {
    const response = await app.request("/refused");
    expect(response.status).toBe(405);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Method Not Allowed",
      status: 405,
      detail: "Use POST.",
      hint: 7,
    });
  });

  it("keeps headers that were set before", async () => {
    expect((await app.request("/refused")).headers.get("Allow")).toBe("POST");
  });

  it("takes a title and type of its own", () => {
    const document = JSON.parse(problemBody({ status: 422, type: "/x", title: "Rows", detail: "Bad." }));
    expect(document).toEqual({ type: "/x", title: "Rows", status: 422, detail: "Bad." });
  });
});
