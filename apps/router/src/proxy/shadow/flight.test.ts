import { expect, it } from "vitest";
import { testPlane } from "../../../test/support/plane.ts";
import { upstream } from "../../../test/support/upstream.ts";
import { Target } from "../../targets/target.ts";
import { Http2Pool } from "../engines/h2/upstream/pool.ts";
import { Pools } from "../engines/http-proxy/outgoing.ts";
import { type Echo, Flight } from "./flight.ts";

it("ends, and throws nothing, where a copy cannot be written", async () => {
  const server = await upstream();
  const { plane } = testPlane({ blue: { weight: 1, targets: [server.url] } });
  const pools = new Pools(plane.dialer, new Http2Pool(plane));
  const body = Buffer.from("{}");
  const echo = await new Promise<Echo>((resolve) => {
    const fields = [["not a name", "x"]] as const;
    new Flight(
      pools,
      new Target(server.url, 0),
      { path: "/", fields, body },
      { timeout: 5000, answer: 1000 },
      resolve,
    );
  });
  expect(echo.outcome).toBe("reset");
  expect(server.seen).toEqual([]);
  pools.destroy();
  await server.close();
});
