import type { HttpHook } from "../../config/config.ts";
import type { Ended } from "../rollout/ports.ts";
import { excerpt, Output } from "./excerpt.ts";
import type { HookFacts } from "./facts.ts";

/** Bytes of an answer that are read. */
const MOST_READ = 64 * 1024;

/** Calls a hook's URL with the facts as JSON. 2xx passes; a redirect is an answer like any other, so it does not. */
export async function callHook(
  { url, method, headers, timeout }: HttpHook,
  facts: HookFacts,
  signal: AbortSignal,
): Promise<Ended> {
  const where = `${method} ${new URL(url).origin}`; // the path of a chat's webhook is its secret
  const { pathname, searchParams } = new URL(url);
  const keys = pathname.split("/").filter((part) => part.length >= 16);
  const secrets = [...Object.values(headers).flatMap(wordsOf), ...searchParams.values(), ...keys];
  const late = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...headers,
        "Content-Type": "application/json",
        "Idempotency-Key": `"${facts.idempotency_key}"`,
        "User-Agent": headers["User-Agent"] ?? "sluice",
      },
      ...(method === "GET" ? {} : { body: JSON.stringify(facts) }),
      redirect: "manual",
      signal: AbortSignal.any([signal, late]),
    });
    const said = excerpt(await readSome(response, secrets));
    const redirect =
      response.status >= 300 && response.status < 400 ? ", and redirects are not followed" : "";
    return {
      ok: response.ok,
      detail: `${where} answered ${response.status}${redirect}${said ? `: ${said}` : ""}`,
    };
  } catch (error) {
    if (signal.aborted) return { ok: false, detail: `${where} was given up` };
    if (late.aborted) return { ok: false, detail: `${where} did not answer within ${timeout / 1000} s` };
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    return { ok: false, detail: `${where} failed (${cause?.code ?? cause?.message ?? message})` };
  }
}

/** `Bearer TOKEN` is to be recognized by the token alone, too. */
const wordsOf = (value: string) => [value, ...value.split(/[\s=,;]+/).filter((word) => word.length >= 8)];

async function readSome(response: Response, secrets: readonly string[]): Promise<string> {
  const output = new Output(secrets);
  let read = 0;
  for await (const chunk of response.body ?? []) {
    output.add(chunk);
    read += chunk.length;
    if (read < MOST_READ) continue;
    output.breakOff();
    break; // leaving the loop gives the connection up
  }
  return output.text;
}
