import type { AcmeConfig, Config, TlsConfig, UpstreamTlsConfig } from "./config.ts";
import type { Problem } from "./errors.ts";

/** Seconds. */
const YEAR = 365 * 24 * 3600;

/** What no option of `tls` and `upstream_tls` can say about itself. */
export function checkTls({ tls, upstream_tls, state }: Config): Problem[] {
  return [
    ...checkUpstream(upstream_tls),
    ...(tls ? checkOwn(tls) : []),
    ...(tls?.acme ? checkAcme(tls.acme, tls.redirect, state) : []),
  ];
}

function checkUpstream({ cert, key }: UpstreamTlsConfig): Problem[] {
  if ((cert === undefined) === (key === undefined)) return [];
  const [has, lacks] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
  return [
    problem(`upstream_tls.${lacks}`, `is missing, but upstream_tls.${has} is there; expected both or none.`),
  ];
}

function checkOwn({ certificates, acme, hsts }: TlsConfig): Problem[] {
  const bare = certificates.length === 0 && !acme;
  const early = hsts?.preload && (!hsts.include_subdomains || hsts.max_age < YEAR);
  return [
    ...(bare
      ? [problem("tls", "has no certificate; expected certificates: [{ cert: FILE, key: FILE }], or acme.")]
      : []),
    ...(early
      ? [
          problem(
            "tls.hsts.preload",
            "is true; expected include_subdomains: true and a max_age of at least 365d with it.",
          ),
        ]
      : []),
  ];
}

function checkAcme(acme: AcmeConfig, redirect: TlsConfig["redirect"], state: Config["state"]): Problem[] {
  const wanted: readonly (readonly [boolean, string, string])[] = [
    [
      acme.domains.length > 0,
      "tls.acme.domains",
      "is empty; expected the host names to have certificates for.",
    ],
    [
      acme.agree_to_terms,
      "tls.acme.agree_to_terms",
      "is false; expected true, once you have read the authority's terms of service.",
    ],
    [
      redirect !== undefined,
      "tls.redirect",
      "is none; tls.acme expected an address, such as 0.0.0.0:80, where the authority asks.",
    ],
    [
      state !== undefined,
      "tls.acme",
      "needs a folder to keep certificates in, but state is memory; expected a folder.",
    ],
  ];
  return wanted.flatMap(([holds, key, what]) => (holds ? [] : [problem(key, what)]));
}

function problem(key: string, what: string): Problem {
  return { key, message: `${key} ${what}` };
}
