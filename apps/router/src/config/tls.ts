import { resolve } from "node:path";
import { z } from "zod";
import type { Address, Config } from "./config.ts";
import { Refused } from "./errors.ts";
import { documented, list, option, parsed, section, strict } from "./option.ts";
import { noneOr } from "./parts.ts";
import type { FileConfig } from "./schema.ts";
import { address, boolean, duration, text, whole, word } from "./values.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 24 * 3600 };
const DNS_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

const file = (what: string) => text(`the path of a file that holds ${what}, in PEM`);
const CHAIN = "a certificate, followed by those of the authorities in between";

/** Longer than a timer can be, and in seconds, because that is what the header says. */
const maxAge = () =>
  parsed((value) => {
    const match = typeof value === "string" ? /^(\d{1,9}) ?([smhd])$/.exec(value) : null;
    if (match) return Number(match[1]) * SECONDS[match[2]!]!;
    throw Refused.expected("a duration with its unit, such as 365d, 24h or 0s");
  });

const domain = () =>
  parsed((value) => {
    const name = typeof value === "string" ? value.toLowerCase() : "";
    if (DNS_NAME.test(name)) return name;
    throw Refused.expected("a host name such as api.example.com; HTTP-01 cannot prove a wildcard");
  });

const directoryUrl = () =>
  parsed((value) => {
    if (typeof value === "string" && /^https?:\/\/\S+$/.test(value) && URL.canParse(value)) return value;
    throw Refused.expected(`the URL of an authority's directory, such as ${LETS_ENCRYPT}`);
  });

function certificates() {
  const shape = {
    cert: option(file(CHAIN), {
      required: true,
      about: "File with the certificate, followed by those of the authorities in between, in PEM.",
    }),
    key: option(file("the certificate's key"), {
      required: true,
      about: "File with the certificate's key, in PEM, without a passphrase.",
    }),
  };
  const item = strict(shape, "{ cert: FILE, key: FILE }");
  return documented(list(item, "certificates, each { cert: FILE, key: FILE }").prefault([]), {
    shape,
    as: "[]",
  });
}

function hsts() {
  const shape = {
    max_age: option(maxAge(), {
      default: "365d",
      unit: "duration",
      about: "How long browsers are to use HTTPS alone; `0s` has them forget it.",
    }),
    include_subdomains: option(boolean(), {
      default: false,
      about: "Whether that is so for every host below, too.",
    }),
    preload: option(boolean(), {
      default: false,
      about: "Asks for a place in browsers' own lists; needs `include_subdomains` and a year.",
    }),
  };
  const schema = noneOr(strict(shape, "none or { max_age: 365d }"));
  const about = "Adds `Strict-Transport-Security` to every answer (RFC 6797); `none`: does not.";
  return documented(schema, { shape }, { default: "none", about });
}

function acme() {
  const shape = {
    domains: option(list(domain(), "host names"), {
      default: [],
      unit: "names",
      about: "Host names to have certificates for, one each; they have to lead to `tls.redirect`'s port 80.",
    }),
    email: option(text("an e-mail address").optional(), {
      about: "Whom the authority writes to.",
    }),
    agree_to_terms: option(boolean(), {
      default: false,
      about: "Has to be `true`: you have read the authority's terms of service and agree to them.",
    }),
    directory: option(directoryUrl(), {
      default: LETS_ENCRYPT,
      unit: "URL",
      about: "The authority's ACME directory.",
    }),
    ca: option(file("the authorities of the directory's own certificate").optional(), {
      about: "Whom the directory's own certificate comes from, in PEM; default: a public authority.",
    }),
  };
  const schema = noneOr(strict(shape, "none or { domains: [NAME], email: ADDRESS, agree_to_terms: true }"));
  const about = "Has certificates issued and renewed by an authority (RFC 8555), by HTTP-01.";
  return documented(schema, { shape }, { default: "none", about });
}

/** `tls`: how clients connect. */
export const tls = () => {
  const shape = {
    certificates: certificates(),
    min_version: option(word(["1.2", "1.3"]), {
      default: "1.2",
      about: "Oldest version of TLS that is spoken.",
    }),
    strict_sni: option(boolean(), {
      default: false,
      about:
        "Refuses clients that name none of the certificates' hosts; else they get the first certificate.",
    }),
    redirect: option(redirect(), {
      default: "none",
      unit: "address",
      about: "Where plain HTTP is answered with 308 to HTTPS, and ACME's questions; `none`: nowhere.",
    }),
    redirect_port: option(whole(1, 65_535).optional(), {
      unit: "port",
      about:
        "The port that clients reach HTTPS by, where that is another one than `listen`'s, as with containers.",
    }),
    hsts: hsts(),
    watch: option(duration(), {
      default: "5s",
      unit: "duration",
      about: "How often the files are looked at; a change is taken over without a restart, as with SIGHUP.",
    }),
    acme: acme(),
  };
  const schema = noneOr(strict(shape, "none or { certificates: [{ cert: FILE, key: FILE }] }"));
  const about = "Has `listen` speak HTTPS; `none`: plain HTTP.";
  return documented(schema, { shape }, { default: "none", about });
};

function redirect(): z.ZodType<Address | undefined> {
  return z.preprocess((value) => (value === "none" ? undefined : value), address().optional());
}

/** `admin.tls`. */
export const adminTls = () => {
  const shape = {
    cert: option(file(CHAIN), { required: true, about: "As `tls.certificates[].cert`." }),
    key: option(file("the certificate's key"), { required: true, about: "As `tls.certificates[].key`." }),
    client_ca: option(file("certificates of authorities").optional(), {
      about: "Whom clients' certificates have to come from, in PEM; a client without one is refused.",
    }),
  };
  const schema = noneOr(strict(shape, "none or { cert: FILE, key: FILE, client_ca: FILE }"));
  const about = "Has the admin API, and `metrics.listen`, speak HTTPS; `none`: plain HTTP.";
  return documented(schema, { shape }, { default: "none", about });
};

/** `upstream_tls`: how targets are connected to whose URL says `https`. */
export const upstreamTls = section({
  ca: option(file("certificates of authorities").optional(), {
    about:
      "Whom targets' certificates have to come from, in PEM; default: the system's and Mozilla's authorities.",
  }),
  server_name: option(text("a host name").optional(), {
    about: "The name that targets' certificates have to be for; default: the host in the target's URL.",
  }),
  cert: option(file(CHAIN).optional(), {
    about: "The router's own certificate, for targets that want one, in PEM.",
  }),
  key: option(file("the certificate's key").optional(), { about: "Its key, in PEM, without a passphrase." }),
  verify: option(boolean(), {
    default: true,
    about: "Whether targets' certificates are checked. With `false` anybody could be the target.",
  }),
});

/** The sections with relative paths made absolute. */
export function toTls(
  from: FileConfig,
  folder: string,
): Pick<Config, "tls" | "upstream_tls"> & { adminTls: Config["admin"]["tls"] } {
  const at = (name: string) => resolve(folder, name);
  const maybe = (name: string | undefined) => (name === undefined ? undefined : at(name));
  const pair = ({ cert, key }: { cert: string; key: string }) => ({ cert: at(cert), key: at(key) });
  const { tls: own, upstream_tls: upstream, admin } = from;
  return {
    tls: own && {
      ...own,
      certificates: own.certificates.map(pair),
      acme: own.acme && { ...own.acme, ca: maybe(own.acme.ca) },
    },
    upstream_tls: {
      ...upstream,
      ca: maybe(upstream.ca),
      cert: maybe(upstream.cert),
      key: maybe(upstream.key),
    },
    adminTls: admin.tls && { ...pair(admin.tls), client_ca: maybe(admin.tls.client_ca) },
  };
}
