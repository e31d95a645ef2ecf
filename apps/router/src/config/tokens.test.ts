// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what these files contain
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COLORS, folder, load, problems, refusal, write } from "../../test/support/config-file.ts";

describe("tokens", () => {
  test("come from values and from files beside the configuration, trimmed, each with its scope", () => {
    write("abc\n", "token");
    const tokens = "tokens: [{ token: r, scope: read }, { token: f, scope: feedback }]";
    expect(load(`${COLORS}admin: { token_file: token, ${tokens} }`).admin.tokens).toEqual([
      { token: "abc", scope: "all" },
      { token: "r", scope: "read" },
      { token: "f", scope: "feedback" },
    ]);
  });

  test("a file that is missing, empty or a folder gets a sentence", () => {
    write(" \n", "empty");
    mkdirSync(join(folder, "dir"), { recursive: true });
    expect(problems(`${COLORS}admin: { token_file: nowhere }`)).toEqual([
      'admin.token_file is "nowhere", and there is no such file; expected a file that holds a token.',
    ]);
    expect(problems(`${COLORS}admin: { token_file: empty }`)[0]).toContain("which is empty");
    expect(problems(`${COLORS}admin: { tokens: [{ token_file: dir, scope: read }] }`)).toEqual([
      'admin.tokens[0].token_file is "dir", and it is a folder; expected a file that holds a token.',
    ]);
  });

  test("two ways, no way, or the same token twice are refused", () => {
    expect(problems(`${COLORS}admin: { token: a, token_file: b }`)[0]).toContain("expected one of them");
    expect(problems(`${COLORS}admin: { tokens: [{ scope: read }] }`)[0]).toContain(
      "admin.tokens[0] has no token",
    );
    expect(problems(`${COLORS}admin: { token: same, tokens: [{ token: same, scope: read }] }`)[0]).toBe(
      "admin.tokens[0] has the same token as another; expected one of its own.",
    );
    expect(problems(`${COLORS}admin: { tokens: [{ token: a, scope: root }] }`)[0]).toBe(
      'admin.tokens[0].scope is "root"; expected read, operate or feedback.',
    );
  });

  test.each([
    ["admin: { token: 'hunter 2' }", {}],
    ["admin: { token: [hunter2] }", {}],
    ["admin: { tokens: [hunter2] }", {}],
    ["admin: { tokens: hunter2 }", {}],
    ["admin: hunter2", {}],
    ["admin:\n  token: *hunter2", {}],
    ["admin:\n  token: !hunter2 x", {}],
    ["admin:\n  token: a: hunter2", {}],
    ['admin:\n  token: "hunter2', {}],
    ["admin: { token: '${T}' }", { T: "hunter2 " }],
    ["override: { secret: 'hunter2 ' }", {}],
    ["trusted_proxies: [http://me:hunter2@10.0.0.1]", {}],
    ["listen: '${API_KEY}'", { API_KEY: "hunter2" }],
  ])("a secret is never in the message of %j", (yaml, env) => {
    const message = refusal(write(`${COLORS}${yaml}\n`), env).message;
    expect(message).not.toMatch(/hunter/);
    expect(message.split("\n")).toHaveLength(1);
  });
});
