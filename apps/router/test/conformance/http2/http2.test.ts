import { describe, it } from "vitest";
import { ENGINES } from "../engines.ts";
import { ANSWERS } from "./cases/answers.ts";
import { FRAMES } from "./cases/frames.ts";
import { HOSTILE } from "./cases/hostile.ts";
import { LIMITS } from "./cases/limits.ts";
import { MESSAGES } from "./cases/messages.ts";
import { STREAMS } from "./cases/streams.ts";
import { TRANSLATION } from "./cases/translation.ts";
import { runHttp2Case } from "./run-case.ts";

const CHAPTERS = {
  "header blocks and streams": STREAMS,
  "types of frames": FRAMES,
  "requests that are no requests": MESSAGES,
  "requests as HTTP/1.1": TRANSLATION,
  "answers as HTTP/2": ANSWERS,
  "limits and time-outs": LIMITS,
  "clients that attack": HOSTILE,
};

describe.for(ENGINES)("HTTP/2 with the engine $name", ({ create }) => {
  for (const [chapter, cases] of Object.entries(CHAPTERS)) {
    describe(chapter, () => {
      for (const test of cases) it(`${test.name} (RFC ${test.rfc})`, () => runHttp2Case(test, create));
    });
  }
});
