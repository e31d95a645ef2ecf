import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { testPlane } from "../../../../test/support/plane.ts";
import { settled } from "../../../../test/support/settled.ts";
import { upstream } from "../../../../test/support/upstream.ts";

const open = closing();

describe.each(ENGINES)("an engine with HTTP/2 clients that drains ($name)", ({ create }) => {
  it("tells them to go, answers what is in flight, and then ends the connections", async () => {
    const held: (() => void)[] = [];
    const target = open(await upstream((_request, response) => void held.push(() => response.end("late"))));
    const { plane } = testPlane({ blue: { weight: 1, targets: [target.url] } });
    const engine = create(plane);
    const { port } = await engine.listen({ host: "127.0.0.1", port: 0 });
    const client = open(http2Client(`http://127.0.0.1:${port}`));
    const idle = open(http2Client(`http://127.0.0.1:${port}`));
    await once(idle.session, "remoteSettings");
    const goaways: [number, number][] = [];
    client.session.on("goaway", (code, last) => goaways.push([code, last]));
    const answer = client.send({});
    await eventually(() => held.length === 1 && plane.connections === 2);
    const drained = engine.drain(20_000, 20);
    await eventually(() => goaways.length > 0 && idle.session.destroyed);
    expect(goaways[0]).toEqual([0, 2 ** 31 - 1]);
    held[0]!();
    expect((await answer).body).toBe("late");
    expect(await drained).toBe(0);
    await settled(plane);
  });

  it("cuts what is still in flight at the deadline, and says how many connections", async () => {
    const target = open(await upstream(() => {}));
    const { plane } = testPlane({ blue: { weight: 1, targets: [target.url] } });
    const engine = create(plane);
    const { port } = await engine.listen({ host: "127.0.0.1", port: 0 });
    const client = open(http2Client(`http://127.0.0.1:${port}`));
    const answer = client.send({});
    await eventually(() => target.seen.length === 1);
    expect(await engine.drain(50, 20)).toBe(1);
    expect((await answer).status).toBe(0);
    await settled(plane);
  });
});
