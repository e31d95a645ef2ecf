import { Refused } from "./errors.ts";

const WANTED = "http://HOST:PORT, such as http://127.0.0.1:8001";

/**
 * The normal form of a target's URL, which is the target's identity: scheme http, host in lower case and port, with
 * nothing after it. Whatever a path, a query or a user name would mean here is refused rather than guessed.
 * @throws Refused
 */
export function normalizeTarget(value: unknown): string {
  if (typeof value !== "string") throw Refused.expected(WANTED);
  if (/^https:/i.test(value)) {
    throw new Refused(`TLS towards targets is not in this version; expected ${WANTED}`);
  }
  const authority = /^http:\/\/([^\s/?#\\]+)(.*)$/i.exec(value);
  if (!authority || !URL.canParse(value)) throw Refused.expected(WANTED);
  if (authority[1]?.includes("@"))
    throw new Refused(`a target has no user name or password; expected ${WANTED}`);
  if (authority[2] !== "" && authority[2] !== "/") {
    throw new Refused(`a target has no path or query; expected ${WANTED}`);
  }
  const url = new URL(value);
  if (url.port === "0") throw Refused.expected(`${WANTED}, with a port of at least 1`);
  return url.origin;
}
