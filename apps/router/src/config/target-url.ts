import { Refused } from "./errors.ts";

const WANTED = "http://HOST:PORT, https://HOST:PORT or h2c://HOST:PORT, such as http://127.0.0.1:8001";

/**
 * The normal form of a target's URL, which is the target's identity: scheme http, https or h2c, host in lower case and port,
 * with nothing after it. Whatever a path, a query or a user name would mean here is refused rather than guessed.
 * @throws Refused
 */
export function normalizeTarget(value: unknown): string {
  if (typeof value !== "string") throw Refused.expected(WANTED);
  const parts = /^(https?|h2c):(\/\/([^\s/?#\\]+)(.*))$/i.exec(value);
  // Only a scheme that the URL standard knows has its host put into a normal form.
  const protocol = parts?.[1]?.toLowerCase();
  const asHttp = `${protocol === "https" ? "https" : "http"}:${parts?.[2]}`;
  if (!parts || !URL.canParse(asHttp)) throw Refused.expected(WANTED);
  if (parts[3]?.includes("@")) throw new Refused(`a target has no user name or password; expected ${WANTED}`);
  if (parts[4] !== "" && parts[4] !== "/") {
    throw new Refused(`a target has no path or query; expected ${WANTED}`);
  }
  const url = new URL(asHttp);
  if (url.port === "0") throw Refused.expected(`${WANTED}, with a port of at least 1`);
  return `${protocol}://${url.host}`;
}
