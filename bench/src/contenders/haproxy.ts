import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Pinned } from "../processes/pinned.ts";
import { type Contender, fromDebian, type Place } from "./contender.ts";

/** HAProxy with one thread or process, by a configuration that is written to `name`. */
export const haproxyBy = (name: string, configure: (place: Place) => string): Contender => ({
  name: "HAProxy",
  native: true,
  missing: fromDebian("haproxy"),
  start(place) {
    const file = join(place.folder, name);
    writeFileSync(file, configure(place));
    return new Pinned(place.core, "haproxy", ["-db", "-f", file]);
  },
});

export const haproxy = haproxyBy("haproxy.cfg", haproxyConfig);

/** It reckons with two files a connection; idle ones need but one, so a lower limit on files only gets a warning. */
function haproxyConfig({ port, upstreams: [blue, green], connections }: Place): string {
  return `global
  nbthread 1
  maxconn ${connections + 100}
  no strict-limits
defaults
  mode http
  maxconn ${connections + 100}
  timeout client 75s
  timeout server 60s
  timeout connect 1s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend model
backend model
  server blue 127.0.0.1:${blue} weight 90 check
  server green 127.0.0.1:${green} weight 10 check
`;
}
