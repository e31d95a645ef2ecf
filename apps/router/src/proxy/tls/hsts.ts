import type { TlsConfig } from "../../config/config.ts";

/** The `Strict-Transport-Security` field's value (RFC 6797); undefined where there is none. */
export function hstsValue(hsts: TlsConfig["hsts"]): string | undefined {
  if (!hsts) return undefined;
  const { max_age, include_subdomains, preload } = hsts;
  return `max-age=${max_age}${include_subdomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
}
