import { describe, expect, test } from "vitest";
import type { ConfigError } from "./errors.ts";
import { checkConfig } from "./load.ts";
import { redactedConfig } from "./redact.ts";

const colors = { blue: { weight: 1 } };
const load = (hooks: unknown, env: NodeJS.ProcessEnv = {}) =>
  checkConfig({ colors, hooks }, env, "/etc/sluice/sluice.yaml");

describe("hooks", () => {
  test("are calls or commands, with their defaults", () => {
    const { hooks } = load(
      {
        tell: { url: "https://example.com/x?y=1", headers: { Authorization: "Bearer $" + "{T}" } },
        smoke: { command: ["./smoke.sh", "-q"], env: { MODE: "full" }, timeout: "5s" },
        own: { command: ["true"] },
      },
      { T: "secret" },
    );
    expect(hooks).toEqual({
      tell: {
        url: "https://example.com/x?y=1",
        method: "POST",
        headers: { Authorization: "Bearer secret" },
        timeout: 60_000,
      },
      smoke: {
        command: ["/etc/sluice/smoke.sh", "-q"],
        env: { MODE: "full" },
        timeout: 5000,
        folder: "/etc/sluice",
      },
      own: { command: ["true"], env: {}, timeout: 60_000, folder: "/etc/sluice" },
    });
    expect(load(undefined).hooks).toEqual({});
  });

  test("keep their secrets to themselves where a configuration is shown", () => {
    const config = load({
      a: { url: "http://h/x?token=hunter2", headers: { "X-Key": "hunter2" } },
      b: { command: ["/bin/x", "--token", "hunter2"], env: { TOKEN: "hunter2" } },
    });
    const shown = JSON.stringify(redactedConfig(config));
    expect(shown).not.toContain("hunter2");
    expect(shown).toContain("/bin/x");
  });

  test.each<[unknown, RegExp]>([
    [{ a: {} }, /^hooks\.a is a mapping; expected either url or command\.$/],
    [
      { a: { url: "http://h/", command: ["x"] } },
      /^hooks\.a is a mapping; expected either url or command\.$/,
    ],
    [{ a: { url: "ftp://h/" } }, /^hooks\.a\.url is \(not shown\); expected a URL such as/],
    [
      { a: { url: "http://u:p@h/" } },
      /^hooks\.a\.url is \(not shown\); .*without a user in it; use headers\.$/,
    ],
    [{ a: { url: "http://h/#x" } }, /without a fragment\.$/],
    [{ a: { url: "http://h/", env: {} } }, /expected env with a command only\.$/],
    [{ a: { command: ["x"], method: "POST" } }, /expected method and headers with a url only\.$/],
    [
      { a: { url: "http://h/", method: "DELETE" } },
      /^hooks\.a\.method is "DELETE"; expected POST, PUT, PATCH or GET\.$/,
    ],
    [
      { a: { url: "http://h/", headers: { Host: "x" } } },
      /^hooks\.a\.headers is a mapping; expected no field that the router sets itself/,
    ],
    [
      { a: { url: "http://h/", headers: { "A B": "x" } } },
      /^hooks\.a\.headers is a mapping; has the name "A B"; expected header fields/,
    ],
    [
      { a: { url: "http://h/", headers: { A: "x\r\nB: y" } } },
      /has no usable text for A; expected header fields/,
    ],
    [{ a: { url: "http://h/", headers: { A: 5 } } }, /a number has to stand in quotes\.$/],
    [
      { a: { command: "rm -rf /" } },
      /^hooks\.a\.command is \(not shown\); expected a program and its arguments/,
    ],
    [{ a: { command: [] } }, /expected a program and its arguments/],
    [{ a: { command: ["x", 5] } }, /expected a program and its arguments/],
    [{ a: { command: ["x"], env: { "1A": "x" } } }, /has the name "1A"; expected variables/],
    [{ a: { command: ["x"], timeout: 5 } }, /^hooks\.a\.timeout is 5; expected a duration with its unit/],
    [{ a: { comand: ["x"] } }, /^hooks\.a\.comand is not an option; did you mean hooks\.a\.command\?$/m],
    [
      { "A b": { command: ["x"] } },
      /^hooks\.A b is a mapping; expected a name of up to 32 lower-case letters/,
    ],
    [["x"], /^hooks is a list; expected hooks, such as smoke/],
  ])("refuse %j", (hooks, sentence) => {
    let message = "";
    try {
      load(hooks);
    } catch (error) {
      message = (error as ConfigError).problems.map((problem) => problem.message).join("\n");
    }
    expect(message).toMatch(sentence);
  });
});
