import type { AdminTlsConfig, Config, PairFiles } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { invalidity, type LoadedPair, loadAuthorities, loadPair } from "./load-pair.ts";
import { WatchedFiles } from "./watched-file.ts";

/** Everything that is read from files for one configuration. */
export interface Files {
  readonly config: Config;
  readonly certificates: readonly WatchedFiles<LoadedPair>[];
  readonly upstreamCa: WatchedFiles<string> | undefined;
  readonly upstreamPair: WatchedFiles<LoadedPair> | undefined;
  readonly admin: WatchedFiles<LoadedPair> | undefined;
  readonly clientCa: WatchedFiles<string> | undefined;
}

export type AnyFiles = WatchedFiles<string> | WatchedFiles<LoadedPair>;

export function filesOf({ certificates, upstreamCa, upstreamPair, admin, clientCa }: Files): AnyFiles[] {
  return [...certificates, upstreamCa, upstreamPair, admin, clientCa].filter((each) => each !== undefined);
}

/**
 * @param running what serves: of files that it has too, a certificate that is not valid does not take the place
 * @throws Error that names the option, the file and the reason
 */
export function openFiles(config: Config, clock: Clock, running?: Files): Files {
  const { tls, upstream_tls: upstream, admin } = config;
  const pair = (key: string, files: PairFiles) =>
    watchPair(key, files, clock, running && runningPair(running, files));
  const ca = (key: string, path: string) =>
    new WatchedFiles({ key, paths: [path], load: () => loadAuthorities(path) });
  const { cert, key } = upstream;
  return {
    config,
    certificates: (tls?.certificates ?? []).map((each, i) => pair(`tls.certificates[${i}]`, each)),
    upstreamCa: upstream.ca === undefined ? undefined : ca("upstream_tls.ca", upstream.ca),
    upstreamPair:
      cert === undefined || key === undefined ? undefined : pair("upstream_tls.cert", { cert, key }),
    admin: admin.tls && pair("admin.tls", admin.tls),
    clientCa: clientCaOf(admin.tls, ca),
  };
}

function clientCaOf(
  tls: AdminTlsConfig | undefined,
  open: (key: string, path: string) => WatchedFiles<string>,
) {
  return tls?.client_ca === undefined ? undefined : open("admin.tls.client_ca", tls.client_ca);
}

function watchPair(key: string, files: PairFiles, clock: Clock, running: LoadedPair | undefined) {
  const refuse = (next: LoadedPair, old: LoadedPair) => {
    const why = invalidity(next, clock.now());
    return why && !invalidity(old, clock.now()) ? `${files.cert} ${why}.` : undefined;
  };
  const watched = new WatchedFiles({
    key,
    paths: [files.cert, files.key],
    load: () => loadPair(files),
    refuse,
  });
  const refused = running && refuse(watched.value, running);
  if (refused !== undefined) throw new Error(`${key}: ${refused}`);
  return watched;
}

function runningPair({ config, certificates }: Files, files: PairFiles): LoadedPair | undefined {
  const at =
    config.tls?.certificates.findIndex(({ cert, key }) => cert === files.cert && key === files.key) ?? -1;
  return certificates[at]?.value;
}
