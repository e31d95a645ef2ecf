import { beforeEach, describe, expect, it } from "vitest";
import { BLUE, testPlane } from "../../test/support/control-plane.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

describe("errors on requests", () => {
  it("make a target sit out that its checks find healthy, and let it back in time", async () => {
    const blue = (errors: number) => ({
      ...EMPTY_COLOR,
      targets: { [BLUE]: { inFlight: 0, suspect: false, passes: 0, errors } },
    });
    parts.channel.count({ blue: blue(5) });
    parts.channel.report();
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("ejected");
    await parts.clock.advance(9999);
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("ejected");
    await parts.clock.advance(1);
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("up");
    expect(parts.plane.store.view.snapshot.revision).toBe(1);
  });
});
