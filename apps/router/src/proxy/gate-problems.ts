import type { GateEnding, Maintenance } from "../core/gate.ts";
import type { RequestFacts } from "../core/request-facts.ts";
import type { Problem } from "./engines/problem.ts";

/** Seconds after which a client that found the router paused may ask again. */
const PAUSE_RETRY = 5;
const UNAVAILABLE = { status: 503, title: "Service Unavailable" } as const;

/** Why a request could not wait for the end of a pause. @param timeout milliseconds */
export function pauseProblem(ending: GateEnding, timeout: number): Problem {
  return {
    ...UNAVAILABLE,
    detail: detailOf(ending, timeout),
    fields: [["Retry-After", String(PAUSE_RETRY)]],
  };
}

function detailOf(ending: GateEnding, timeout: number): string {
  if (ending === "full") return "New requests are paused, and as many wait already as may.";
  if (ending === "stopping") return "New requests are paused, and the router is about to stop.";
  return `New requests are paused, and this one has waited for ${timeout / 1000} s.`;
}

/** What clients are told during maintenance: a problem document, or a page where a browser asks for one. */
export function maintenanceProblem({ message, retryAfter }: Maintenance, facts: RequestFacts): Problem {
  return {
    ...UNAVAILABLE,
    detail: message,
    fields: [["Retry-After", String(retryAfter)]],
    ...(wantsPage(facts.header("accept")) ? { page: page(message) } : {}),
  };
}

/** A page goes only to who names HTML, as browsers do, and does not like JSON better (RFC 9110 section 12.5.1). */
function wantsPage(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = quality(accept, "text/html");
  const json = Math.max(quality(accept, "application/json"), quality(accept, "application/problem+json"));
  return html > 0 && html >= json;
}

/** The weight of a media type that is named in full; 0 where it is not. */
function quality(accept: string, type: string): number {
  for (const part of accept.split(",")) {
    const [name = "", ...parameters] = part.split(";").map((each) => each.trim().toLowerCase());
    if (name !== type) continue;
    const q = parameters.find((each) => each.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    return weight >= 0 && weight <= 1 ? weight : 0;
  }
  return 0;
}

function page(message: string): string {
  const text = message.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Service Unavailable</title>
<body style="font: 1.1em system-ui, sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em">
<h1>Service Unavailable</h1>
<p>${text}</p>
</body></html>
`;
}
