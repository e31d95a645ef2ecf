import type { Pointer } from "../core/predictions/pointer.ts";
import type { Slice } from "../core/shadow/slices.ts";

/**
 * The configuration after loading: keys as in the file, durations in milliseconds, sizes in bytes, defaults filled in.
 */

export interface Address {
  readonly host: string;
  /** 0 lets the system choose; what it chose is logged. */
  readonly port: number;
}

export type Scope = "all" | "operate" | "read" | "feedback";
export interface AdminToken {
  readonly token: string;
  readonly scope: Scope;
}

export interface ColorConfig {
  /** A finite number of at least 0, any scale. */
  readonly weight: number;
  /** Normalized URLs: scheme http or h2c, host and port only. */
  readonly targets: readonly string[];
}

export type AffinityConfig =
  | { readonly kind: "none" }
  | { readonly kind: "cookie" | "header" | "query"; readonly name: string };

export interface OverrideConfig {
  /** Header that names a color, in lower case; undefined: no header is looked at. */
  readonly header: string | undefined;
  readonly cookie: string | undefined;
  /** CIDRs of clients that are believed. */
  readonly from: readonly string[];
  /** What `X-Sluice-Secret` has to say. */
  readonly secret: string | undefined;
}

export interface HealthConfig {
  /** What is asked by HTTP; undefined: nothing. One of this and `grpc` is there. */
  readonly path: string | undefined;
  /** The service that `grpc.health.v1` is asked for, empty for the server as a whole; undefined: it is not asked. */
  readonly grpc: string | undefined;
  readonly interval: number;
  readonly timeout: number;
  readonly rise: number;
  readonly fall: number;
  /** Share of the interval by which each check is shifted at random, 0 to 1. */
  readonly jitter: number;
  /** Inclusive ranges of status codes that pass. */
  readonly status: readonly (readonly [number, number])[];
}

export interface PassiveConfig {
  readonly errors: number;
  readonly window: number;
  readonly ejection: number;
  /** Share of all targets that may be ejected at once, 0 to 1; one always may. */
  readonly max_ejected: number;
}

export interface RetryConfig {
  /** Attempts after the first. */
  readonly attempts: number;
  /** Share of the last ten seconds' requests that may be retried; three a second always may. */
  readonly budget: number;
  readonly on: readonly (
    | "connect"
    | "reset"
    | "unavailable"
    | "timeout"
    | "invalid"
    | "502"
    | "503"
    | "504"
  )[];
  /** POST paths that may be repeated; `*` stands for one segment. */
  readonly idempotent_paths: readonly string[];
  /** Bytes of one request's body kept for a repetition. */
  readonly buffer: number;
  /** Bytes kept for all requests together. */
  readonly buffer_total: number;
}

export interface FeedbackConfig {
  readonly remember: number;
  /** Predictions: a request of several rows has several. */
  readonly max: number;
  /** Share of the requests that are remembered, above 0 and up to 1. */
  readonly sample: number;
}

export interface PredictionsConfig {
  readonly pointer: Pointer;
  /** Least and largest plausible prediction; undefined: any finite number. */
  readonly range: readonly [number, number] | undefined;
  /** POST paths whose answers are read; empty: `retry.idempotent_paths`. */
  readonly paths: readonly string[];
}

/** Limits hold for each worker. */
export interface ShadowConfig {
  /** Copies a second. */
  readonly rate: number;
  readonly concurrency: number;
  readonly queue: number;
  /** Bytes of bodies. */
  readonly memory: number;
  readonly timeout: number;
  /** Bytes of one answer. */
  readonly answer: number;
  readonly atol: number;
  readonly rtol: number;
  readonly slices: readonly Slice[];
  /** How many of the worst pairs are kept, */
  readonly worst: number;
  /** and whether with their requests' queries and bodies. */
  readonly bodies: boolean;
}

/** Paths of files are absolute. */
export interface GatesConfig {
  readonly usual: readonly ("identity" | "golden" | "schema" | "warm_up")[];
  readonly model: string;
  readonly predict: string;
  readonly request: string | undefined;
  readonly schema: string | undefined;
  readonly tolerance: number;
  readonly requests: number;
  readonly p95: number | undefined;
  readonly timeout: number;
}

/** What a rollout may have run by name: a call or a command. */
export type HookConfig = HttpHook | CommandHook;

export interface HttpHook {
  readonly url: string;
  readonly method: "POST" | "PUT" | "PATCH" | "GET";
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
}

export interface CommandHook {
  /** Program and arguments; a program named by a path is absolute. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeout: number;
  /** Where it runs: the configuration file's. */
  readonly folder: string;
}

export interface Timeouts {
  readonly client_header: number;
  readonly client_body: number;
  readonly connect: number;
  readonly response_header: number;
  readonly stream_idle: number;
  readonly keepalive: number;
  readonly drain: number;
  /** For tunnels and event streams, after their color has lost all weight; undefined: until they end. */
  readonly tunnel_drain: number | undefined;
}

export interface Limits {
  readonly header: number;
  readonly headers: number;
  readonly body: number;
  readonly connections: number;
}

export interface LogConfig {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Which requests get a line: all; those that were refused, failed, were retried or given up; none. */
  readonly access: "all" | "errors" | "off";
}

export interface TracingConfig {
  /** The collector's whole URL for spans; undefined: none go out, and trace ids are only passed on and begun. */
  readonly otlp: string | undefined;
  /** Fields of each export, such as an `Authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here which are recorded, 0 to 1; for the others the caller has decided. */
  readonly sample: number;
  readonly service_name: string;
}

/** Paths of a certificate with its chain, and of its key. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

export interface AcmeConfig {
  readonly domains: readonly string[];
  readonly email?: string | undefined;
  readonly agree_to_terms: boolean;
  /** URL of the authority's directory. */
  readonly directory: string;
  /** Path; whom the directory's own certificate comes from. */
  readonly ca: string | undefined;
}

export interface TlsConfig {
  readonly certificates: readonly PairFiles[];
  readonly min_version: "1.2" | "1.3";
  readonly strict_sni: boolean;
  /** Where plain HTTP is answered with a redirect. */
  readonly redirect?: Address | undefined;
  /** The port in the URLs that it sends to; undefined: that of `listen`. */
  readonly redirect_port?: number | undefined;
  /** `max_age` in seconds. */
  readonly hsts:
    | { readonly max_age: number; readonly include_subdomains: boolean; readonly preload: boolean }
    | undefined;
  /** How often files are looked at. */
  readonly watch: number;
  readonly acme: AcmeConfig | undefined;
}

/** Paths, but for `server_name` and `verify`. */
export interface UpstreamTlsConfig {
  readonly ca?: string | undefined;
  readonly server_name?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly verify: boolean;
}

export interface AdminTlsConfig extends PairFiles {
  readonly client_ca: string | undefined;
}

export interface Config {
  readonly listen: Address;
  /** Undefined: clients speak plain HTTP. */
  readonly tls?: TlsConfig | undefined;
  readonly upstream_tls: UpstreamTlsConfig;
  readonly admin: {
    readonly listen: Address;
    readonly tls?: AdminTlsConfig | undefined;
    readonly tokens: readonly AdminToken[];
  };
  /** Folder for durable state; undefined keeps none (`memory`). */
  readonly state: string | undefined;
  readonly engine: "http-proxy" | "wire";
  readonly split: "random" | "exact";
  readonly failover: boolean;
  /** In the file's order. */
  readonly colors: Readonly<Record<string, ColorConfig>>;
  readonly affinity: AffinityConfig;
  readonly override: OverrideConfig | undefined;
  readonly trusted_proxies: readonly string[];
  readonly allowed_targets: readonly string[];
  readonly health: HealthConfig;
  readonly passive: PassiveConfig;
  readonly retry: RetryConfig;
  readonly hedge: { readonly after: "p95"; readonly max: number } | undefined;
  /** Undefined: no answer is read. */
  readonly predictions: PredictionsConfig | undefined;
  readonly shadow: ShadowConfig;
  /** Undefined: nothing is remembered, and no feedback is taken. */
  readonly feedback: FeedbackConfig | undefined;
  readonly gates: GatesConfig;
  readonly hooks: Readonly<Record<string, HookConfig>>;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  readonly tracing: TracingConfig | undefined;
  readonly metrics: { readonly listen: "admin" | Address };
  readonly workers: number | "auto";
  readonly log: LogConfig;
}
