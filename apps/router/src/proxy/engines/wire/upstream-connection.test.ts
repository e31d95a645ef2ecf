import { expect, it } from "vitest";
import { FakeSocket } from "../../../../test/fuzz/fake-socket.ts";
import { testPlane } from "../../../../test/support/plane.ts";
import { OK } from "../../../../test/support/wire.ts";
import type { Waiter } from "../../../targets/target.ts";
import type { AnswerReader } from "./answer-reader.ts";
import type { Engine } from "./engine-parts.ts";
import { Head } from "./head.ts";
import { Timers } from "./timers.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

// It went back to the pool paused, and the next request there had no answer.
it("reads on where only the last part of an answer waits for its client", () => {
  const { plane } = testPlane({ blue: { weight: 1, targets: ["http://a:1"] } });
  const timers = new Timers(plane.config.timeouts, plane.now);
  timers.stop();
  const engine = { plane, timers, answerHead: new Head(), answerHeader: 1000, answerFields: 10 };
  const target = plane.colors[0]!.targets[0]!;
  const fake = new FakeSocket();
  const upstream = new UpstreamConnection(engine as unknown as Engine, target, fake.asSocket());
  let reusable = false;
  const slow = {
    onHead: () => {},
    onBody: () => upstream.pause(),
    onEnd: () => {
      reusable = upstream.release();
    },
  };
  fake.emit("connect");
  upstream.begin(slow as unknown as AnswerReader, target.claim(0, {} as Waiter), false, false);
  upstream.requestSent();
  fake.emit("data", Buffer.from(OK));
  expect(reusable).toBe(true);
  expect(fake.isPaused()).toBe(false);
});
