import { describe, expect, test } from "vitest";
import { expectRefusal, sluice, sluiceHere } from "../../test/support/sluice-command.ts";
import { createProgram } from "./program.ts";

describe("wrong usage", () => {
  test.each([
    [["weights", "blue=abc"], /"blue=abc" is no weight; expected COLOR=NUMBER/],
    [["weights", "blue=-1"], /"blue=-1" is no weight/],
    [["weights", "blue=1e999"], /is no weight/],
    [["weights", "blue"], /is no weight/],
    [["weights", "blue=1", "blue=2"], /blue is given twice/],
    [["weights"], /missing required argument/],
    [["flip"], /missing required argument/],
    [["flip", "green", "blue"], /too many arguments/],
    [["flip", "green", "--if-match", "x"], /--if-match is "x"; expected a revision/],
    [["flip", "green", "--wait", "--timeout", "5"], /--timeout is "5"; expected a duration/],
    [["history", "--limit", "0"], /--limit is "0"/],
    [["predict", "--count", "x"], /--count is "x"/],
    [["predict", "--url", "here"], /expected a URL/],
    [["status", "--admin", "ftp://a"], /the admin address is "ftp:\/\/a"; expected a URL/],
    [["status", "--token-file", "/nowhere"], /\/nowhere cannot be read \(ENOENT\)/],
    [["status", "--token", "a b"], /the admin token is empty or holds/],
    [["up", "--port", "99999"], /the port is "99999"/],
    [["flipp", "green"], /unknown command 'flipp' \(Did you mean flip\?\)/],
    [["shadow", "green"], /^sluice: unknown command 'green'; expected start, stop, status, worst\n$/],
    [["status", "--jsn"], /unknown option '--jsn' \(Did you mean --json\?\)/],
  ])("%j is a usage error", async (args, sentence) => {
    expectRefusal(await sluiceHere(args), 2, sentence);
  });

  test("a usage error is one sentence on stderr and exit 2, whoever finds it", async () => {
    expectRefusal(await sluice(["weights", "blue=abc"]), 2, /^sluice: "blue=abc" is no weight/);
    expectRefusal(await sluice(["flipp", "green"]), 2, "unknown command 'flipp' (Did you mean flip?)");
  });
});

describe("help", () => {
  const VERBS =
    "up serve upgrade check status health deploy rollout weights flip rollback undo pause resume maintenance shadow history predict replay traffic feedback".split(
      " ",
    );

  test.each(VERBS)("sluice %s --help has an example and the global options", (verb) => {
    const command = createProgram().commands.find((each) => each.name() === verb);
    let text = "";
    command?.configureOutput({ writeOut: (part) => (text += part) });
    command?.outputHelp();
    expect(text).toMatch(/\nExamples?:\n {2}\$ (sluice|npm) /);
    expect(text).toContain("--admin <url>");
  });

  test("sluice --help lists every verb and exits 0", async () => {
    const { code, stdout } = await sluiceHere(["--help"]);
    expect(code).toBe(0);
    for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`\n {2}${verb} `));
  });
});
