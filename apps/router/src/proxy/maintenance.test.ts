import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import { client, endings, gatedBy, get, held, maintenance, paths, pause } from "../../test/support/gated.ts";
import { eventually } from "../../test/support/open.ts";
import { GET } from "../../test/support/wire.ts";

describe.each(ENGINES)("maintenance before the engine $name", ({ create }) => {
  const gated = gatedBy(create);

  const override = {
    override: { header: "x-sluice-color", cookie: undefined, from: ["127.0.0.0/8"], secret: undefined },
  };

  it.each([["pause", pause()] as const, ["maintenance", maintenance] as const])(
    "lets those through whom an override sends to a color: %s",
    async (_name, gate) => {
      const test = await gated(gate, override);
      const one = await client(test.router.port);
      one.send(get("/test", "X-Sluice-Color: green\r\n"));
      await one.until("200 OK");
      expect(paths(test.green)).toEqual(["/test"]);
      expect(endings(test)).toEqual({ overridden: 1 });
    },
  );

  it("says during maintenance what it was told to say, to old clients, too", async () => {
    const test = await gated(maintenance);
    const one = await client(test.router.port);
    one.send(get("/"));
    const text = await one.until("Back at <noon>.");
    expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(text).toMatch(/\r\nRetry-After: 120\r\n/);
    expect(text).toMatch(/\r\nContent-Type: application\/problem\+json\r\n/);
    const old = await client(test.router.port);
    old.send("GET / HTTP/1.0\r\n\r\n");
    expect(await old.untilClosed()).toContain("Back at <noon>.");
    const head = await client(test.router.port);
    head.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await head.untilClosed()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\n\r\n$/);
    const upload = await client(test.router.port);
    upload.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
    expect(await upload.untilClosed()).toMatch(/\r\nConnection: close\r\n/);
    expect(endings(test)).toEqual({ maintenance: 4 });
    expect(test.router.plane.report().colors.none?.requests).toMatchObject({ "GET 503": 2, "POST 503": 1 });
  });

  it("gives a browser a page, in which the message is text", async () => {
    const test = await gated(maintenance);
    const one = await client(test.router.port);
    one.send(get("/", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nConnection: close\r\n"));
    const text = await one.untilClosed();
    expect(text).toMatch(/\r\nContent-Type: text\/html; charset=utf-8\r\n/);
    expect(text).toContain("Back at &#60;noon&#62;.");
    const json = await client(test.router.port);
    json.send(get("/", "Accept: text/html;q=0.5, application/json\r\nConnection: close\r\n"));
    expect(await json.untilClosed()).toContain("application/problem+json");
  });

  it("turns away those that wait when maintenance begins", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(GET);
    await eventually(() => held(test) === 1);
    test.set(maintenance);
    await one.until("Back at <noon>.");
    test.set(undefined);
    one.send(GET);
    await one.until("200 OK");
  });

  it("answers those that wait before it is stopped, and cuts nobody", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(GET);
    await eventually(() => held(test) === 1);
    test.router.plane.lastCall();
    const text = await one.until("the router is about to stop");
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(endings(test)).toEqual({ stopping: 1 });
  });
});
