import { z } from "zod";
import { Refused } from "./errors.ts";
import { documented, option, parsed, strict } from "./option.ts";
import { duration, word } from "./values.ts";

const NAME = /^[a-z][a-z0-9_-]{0,31}$/;
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Fields that would change what the message is, or that the router sets itself. */
const OWN =
  /^(host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|expect|idempotency-key)$/i;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MOST_WORDS = 100;

const url = parsed((value): string => {
  const wanted = "a URL such as http://127.0.0.1:9000/released or https://example.com/hook";
  if (typeof value !== "string" || !/^https?:\/\//.test(value) || !URL.canParse(value))
    throw Refused.expected(wanted);
  const { username, password, hash } = new URL(value);
  if (username || password) throw Refused.expected(`${wanted}, without a user in it; use headers`);
  if (hash) throw Refused.expected(`${wanted}, without a fragment`);
  return value;
});

/** Texts by name. A number or a truth value is refused: YAML may have read another text than was meant. */
function texts(what: string, name: RegExp, value: RegExp) {
  return parsed((given): Readonly<Record<string, string>> => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) throw Refused.expected(what);
    for (const [key, text] of Object.entries(given)) {
      if (!name.test(key)) throw new Refused(`has the name ${JSON.stringify(key)}; expected ${what}`);
      if (typeof text !== "string" || !value.test(text)) {
        throw new Refused(`has no usable text for ${key}; expected ${what}; a number has to stand in quotes`);
      }
    }
    return given as Readonly<Record<string, string>>;
  });
}

const headers = () => {
  const what = 'header fields, such as Authorization: "Bearer …"';
  return texts(what, HEADER, /^[\t\x20-\x7e\x80-\xff]*$/).refine(
    (given) => !Object.keys(given).some((name) => OWN.test(name)),
    {
      error: "expected no field that the router sets itself, such as Host or Content-Type",
    },
  );
};

const command = parsed((value): readonly string[] => {
  const wanted = 'a program and its arguments, such as ["./smoke-test.sh", "--quick"]';
  const fits = (word: unknown) => typeof word === "string" && !word.includes("\0");
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.length > MOST_WORDS ||
    !value.every(fits) ||
    value[0] === ""
  ) {
    throw Refused.expected(wanted);
  }
  return value;
});

/** Hooks by name: each a call or a command. */
export const hooks = () => {
  const shape = {
    url: option(url.optional(), {
      unit: "URL",
      about: "Is called with the rollout's facts as JSON; 2xx passes. Redirects are not followed.",
    }),
    method: option(word(["POST", "PUT", "PATCH", "GET"]).optional(), {
      about: "Method of the call, `POST` where nothing else is said; `GET` has no body.",
    }),
    headers: option(headers().optional(), {
      about: "Header fields of the call; a token belongs into the environment.",
    }),
    command: option(command.optional(), {
      about:
        "Program and arguments, run without a shell in this file's folder with `SLUICE_…` variables; exit status 0 passes.",
    }),
    env: option(texts("variables, such as NAME: text", VARIABLE, /^[^\0]*$/).optional(), {
      about:
        "Environment variables of the command; of the router's own it gets PATH, HOME, USER, LANG, TZ and TMPDIR.",
    }),
    timeout: option(duration(), {
      default: "60s",
      unit: "duration",
      about: "Time that the hook may take. A command then gets SIGTERM, and SIGKILL five seconds later.",
    }),
  };
  const one = strict(shape, "{ url: URL } or { command: [PROGRAM, ARGUMENT] }").superRefine(
    (hook, context) => {
      for (const message of contradictions(hook)) context.addIssue({ code: "custom", message });
    },
  );
  const all = z
    .record(z.string(), one, {
      error: 'expected hooks, such as smoke: { command: ["./smoke-test.sh"], timeout: 60s }',
    })
    .superRefine((named, context) => {
      for (const name of Object.keys(named)) {
        if (NAME.test(name)) continue;
        const message = "expected a name of up to 32 lower-case letters, digits, dashes and underscores";
        context.addIssue({ code: "custom", path: [name], message });
      }
    })
    .prefault({});
  return documented(all, { shape, as: "NAME" });
};

interface Given {
  readonly url?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly command?: unknown;
  readonly env?: unknown;
}

function contradictions({ url, method, headers, command, env }: Given): string[] {
  if ((url === undefined) === (command === undefined)) return ["expected either url or command"];
  if (url !== undefined && env !== undefined) return ["expected env with a command only"];
  if (command !== undefined && (method !== undefined || headers !== undefined)) {
    return ["expected method and headers with a url only"];
  }
  return [];
}
