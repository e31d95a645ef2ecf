import { describe, expect, it } from "vitest";
import { testPlane } from "../../../test/support/control-plane.ts";
import { feedback, remembering, served } from "../../../test/support/feedback.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

describe("an upgrade", () => {
  it("hands what is remembered to the next router, and what is answered meanwhile", async () => {
    const state = temporaryFolder();
    const old = await remembering({ state }, served("1"));
    const handed = await old.plane.give();
    old.answer(served("2"));
    expect(await old.send({ request_id: "1", actual: 1 })).toMatchObject({ status: 503 });
    const next = await testPlane({ feedback, state }, { handed });
    const item = (id: string) => ({ request_id: id, actual: 1 });
    expect((await next.call("POST", "/feedback", item("1"))).status).toBe(503);
    next.plane.open();
    next.channel.set(await old.plane.summary([]));
    next.channel.report(-1);
    expect((await next.call("POST", "/feedback", [item("1"), item("2")])).body).toMatchObject({
      accepted: 2,
    });
    expect((await old.plane.summary([])).served).toBeUndefined();
    await next.plane.stop();
  });

  it("that fails leaves everything where it was", async () => {
    const state = temporaryFolder();
    const { plane, answer, send } = await remembering({ state }, served("1"));
    await plane.give();
    answer(served("2"));
    await plane.takeBack();
    expect(
      (
        await send([
          { request_id: "1", actual: 1 },
          { request_id: "2", actual: 1 },
        ])
      ).body,
    ).toMatchObject({
      accepted: 2,
    });
    await plane.stop();
  });
});
