import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { closing, eventually } from "../../../test/support/open.ts";
import { testPlane } from "../../../test/support/plane.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { settled } from "../../../test/support/settled.ts";
import { upstream } from "../../../test/support/upstream.ts";
import { GET } from "../../../test/support/wire.ts";

const keep = closing();

describe.each(ENGINES)("an engine that drains ($name)", ({ create }) => {
  it("says with the answers under way that they are the last on their connections", async () => {
    const held: (() => void)[] = [];
    const target = keep(await upstream((_request, response) => void held.push(() => response.end("late"))));
    const { plane } = testPlane({ blue: { weight: 1, targets: [target.url] } });
    const engine = create(plane);
    const { port } = await engine.listen({ host: "127.0.0.1", port: 0 });
    const client = keep(await RawClient.connect(port));
    client.send(GET);
    await eventually(() => held.length === 1);
    const drained = engine.drain(60_000);
    held[0]!();
    const text = await client.untilClosed();
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*late/);
    expect(text.match(/^connection: .*$/gim)).toEqual([expect.stringMatching(/^connection: close$/i)]);
    client.close();
    expect(await drained).toBe(0);
    await settled(plane);
  });
});
