import { describe, expect, it } from "vitest";
import { OptionError, parseOptions, USAGE } from "../src/options.ts";

describe("the options", () => {
  it("have defaults that suit a machine of one's own", () => {
    expect(parseOptions([], {})).toEqual({
      port: 8001,
      host: "127.0.0.1",
      color: "none",
      logLevel: "info",
      bodyLimit: 4 * 2 ** 20,
      drain: { delay: 8000, quiet: 1000, timeout: 30_000 },
    });
  });

  it("come from flags, then the environment; an empty variable is none", () => {
    const env = { PORT: "9000", COLOR: "green", MODEL_PATH: "a.json", HOST: "", DRAIN_DELAY: "0" };
    expect(parseOptions(["--color", "blue", "--body-limit=64KiB"], env)).toMatchObject({
      port: 9000,
      host: "127.0.0.1",
      model: "a.json",
      color: "blue",
      bodyLimit: 65_536,
      drain: { delay: 0 },
    });
  });

  it.each([
    [["--port", "65536"], {}, '--port is "65536": expected a whole number from 0 to 65535.'],
    [["--port", "80a"], {}, '--port is "80a": expected a whole number from 0 to 65535.'],
    [["--port="], {}, '--port is "": expected a whole number from 0 to 65535.'],
    [[], { PORT: "-1" }, 'PORT is "-1": expected a whole number from 0 to 65535.'],
    [[], { COLOR: "light blue" }, 'COLOR is "light blue": expected 1 to 64 letters, digits, - or _.'],
    [["--log-level", "loud"], {}, /^--log-level is "loud": expected one of fatal, error, /],
    [["--body-limit", "5"], {}, /^--body-limit is "5": expected a size such as 4MiB/],
    [["--body-limit", "9GiB"], {}, /^--body-limit is "9GiB"/],
    [["--drain-delay", "5"], {}, /^--drain-delay is "5": expected a duration such as 500ms/],
    [["--drain-timeout", "2h"], {}, /^--drain-timeout is "2h"/],
    [["--drain-quiet", "61m"], {}, /^--drain-quiet is "61m"/],
    [["--speed", "9"], {}, /^Unknown option '--speed'.* --help lists the options\.$/],
    [["serve"], {}, /^Unexpected argument 'serve'.* --help lists the options\.$/],
    [
      ["--drain-delay", "-1"],
      {},
      /^Option '--drain-delay' argument is ambiguous; --help lists the options\.$/,
    ],
    [["--port"], {}, /--port.* --help lists the options\.$/],
  ])("refuse %j %j in one sentence", (args, env, message) => {
    expect(() => parseOptions(args, env)).toThrow(OptionError);
    expect(() => parseOptions(args, env)).toThrow(message);
  });

  it("are all in the help", () => {
    expect(parseOptions(["-h"], {})).toBeUndefined();
    for (const word of ["--port", "MODEL_PATH", "--drain-quiet", "DRAIN_TIMEOUT", "(default 4MiB)"])
      expect(USAGE).toContain(word);
  });
});
