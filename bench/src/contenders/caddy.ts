import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Pinned } from "../processes/pinned.ts";
import { type Contender, fromDebian, type Place } from "./contender.ts";

export const caddy: Contender = {
  name: "Caddy",
  native: true,
  missing: fromDebian("caddy"),
  start(place) {
    const file = join(place.folder, "Caddyfile");
    writeFileSync(file, caddyfile(place));
    const own = { HOME: place.folder, XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder };
    return new Pinned(place.core, "caddy", ["run", "--config", file, "--adapter", "caddyfile"], own);
  },
};

/** Debian's Caddy has no weights yet: nine turns of ten are blue's. */
function caddyfile({ port, upstreams: [blue, green] }: Place): string {
  return `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${`127.0.0.1:${blue} `.repeat(9)}127.0.0.1:${green} {
    lb_policy round_robin
    header_up X-Request-Id {http.request.uuid}
    transport http {
      keepalive_idle_conns_per_host 128
    }
  }
}
`;
}
