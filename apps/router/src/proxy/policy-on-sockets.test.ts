import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import { closing } from "../../test/support/open.ts";
import { type Colors, type PlaneOptions, testRouter } from "../../test/support/plane.ts";
import { type Answer, upstream } from "../../test/support/upstream.ts";

describe.each(ENGINES)("engine $name", ({ create }) => {
  const keep = closing();

  const server = async (answer?: Answer) => keep(await upstream(answer));
  const router = async (colors: Colors, options: PlaneOptions = {}) =>
    keep(await testRouter(colors, options, create));
  const colorOf = (answer: Response) => answer.headers.get("x-sluice-color");

  it("gives a new client its cookie with the first answer, and keeps its color by it", async () => {
    const [blue, green] = [await server(), await server()];
    const colors = { blue: { weight: 1, targets: [blue.url] }, green: { weight: 1, targets: [green.url] } };
    const { url } = await router(colors, { config: { affinity: { kind: "cookie", name: "uid" } } });
    for (let i = 0; i < 10; i++) {
      const first = await fetch(url);
      const cookie = first.headers.get("set-cookie")!;
      expect(cookie).toMatch(/^uid=[\w-]{36}; Path=\/; HttpOnly; SameSite=Lax$/);
      const next = await fetch(url, { headers: { cookie: cookie.split(";")[0]! } });
      expect(colorOf(next)).toBe(colorOf(first));
      expect(next.headers.get("set-cookie")).toBeNull();
    }
  });

  it("honors an override with the secret, drops it without, and shows neither to an upstream", async () => {
    const [blue, green] = [await server(), await server()];
    const override = { header: "x-sluice-color", cookie: undefined, from: [], secret: "open sesame" };
    const colors = { blue: { weight: 1, targets: [blue.url] }, green: { weight: 0, targets: [green.url] } };
    const { url } = await router(colors, { config: { override } });
    const ask = (headers: Record<string, string>) =>
      fetch(url, { headers: { "X-Sluice-Color": "green", ...headers } });
    expect(colorOf(await ask({ "X-Sluice-Secret": "open sesame" }))).toBe("green");
    expect(colorOf(await ask({ "X-Sluice-Secret": "open" }))).toBe("blue");
    expect(colorOf(await ask({}))).toBe("blue");
    for (const { headers } of [...blue.seen, ...green.seen]) {
      expect(Object.keys(headers).filter((name) => name.startsWith("x-sluice"))).toEqual([]);
    }
  });

  it("moves what waits at a target that fell silent, once, and answers it elsewhere", async () => {
    const [frozen, blue] = [await server(() => {}), await server()];
    const colors = { blue: { weight: 0, targets: [blue.url] }, green: { weight: 1, targets: [frozen.url] } };
    const { url, plane } = await router(colors, { snapshot: { standby: "blue" } });
    for (let i = 0; i < 20; i++) plane.colors[1]!.latency.record(1, plane.now());
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(url)));
    expect(answers.map(colorOf)).toEqual(Array.from({ length: 8 }, () => "blue"));
    expect(plane.report().colors.green).toMatchObject({ assigned: 8, failovers: { blue: 8 } });
    expect(blue.seen).toHaveLength(8);
  });
});
