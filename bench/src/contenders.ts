import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { has, Pinned } from "./processes.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface Place {
  /** Core that the proxy runs on. */
  readonly core: number;
  /** Port that it listens on. */
  readonly port: number;
  /** Ports of the two upstreams. */
  readonly upstreams: readonly [number, number];
  /** Folder for its configuration. */
  readonly folder: string;
}

/** A proxy to be measured: two upstreams at 90 to 10, keep-alive on both sides, access log off. */
export interface Contender {
  readonly name: string;
  /** Why it cannot run here; undefined when it can. */
  missing(): string | undefined;
  start(place: Place): Pinned;
}

const fromDebian = (program: string) => () => (has(program) ? undefined : `${program} is not installed`);

export const nginx: Contender = {
  name: "nginx",
  missing: fromDebian("nginx"),
  start({ core, port, upstreams, folder }) {
    const file = join(folder, "nginx.conf");
    writeFileSync(file, nginxConfig(folder, port, upstreams));
    return new Pinned(core, "nginx", ["-c", file, "-p", folder]);
  },
};

function nginxConfig(folder: string, port: number, [blue, green]: readonly [number, number]): string {
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream model {
    server 127.0.0.1:${blue} weight=9; server 127.0.0.1:${green} weight=1;
    keepalive 128; keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`;
}

export const haproxy: Contender = {
  name: "HAProxy",
  missing: fromDebian("haproxy"),
  start({ core, port, upstreams: [blue, green], folder }) {
    const file = join(folder, "haproxy.cfg");
    writeFileSync(
      file,
      `global
  nbthread 1
defaults
  mode http
  timeout client 60s
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
`,
    );
    return new Pinned(core, "haproxy", ["-db", "-f", file]);
  },
};

export const bareHttpProxy: Contender = {
  name: "http-proxy, bare",
  missing: () => undefined,
  start({ core, port, upstreams }) {
    return new Pinned(core, process.execPath, [
      "--no-deprecation",
      at("./bare-http-proxy.ts"),
      String(port),
      ...upstreams.map(String),
    ]);
  },
};

/** Sluice with its defaults, by engine. */
export function sluice(engine: string): Contender {
  return {
    name: `Sluice, ${engine}`,
    missing: () => undefined,
    start({ core, port, upstreams: [blue, green], folder }) {
      const file = join(folder, `sluice-${engine}.yaml`);
      const colors = {
        blue: { weight: 90, targets: [`http://127.0.0.1:${blue}`] },
        green: { weight: 10, targets: [`http://127.0.0.1:${green}`] },
      };
      const config = {
        listen: `127.0.0.1:${port}`,
        admin: { listen: "127.0.0.1:0" },
        state: "memory",
        engine,
        colors,
      };
      writeFileSync(file, stringify({ ...config, health: { path: "/" } }));
      return new Pinned(core, process.execPath, [
        at("../../apps/router/bin/sluice.js"),
        "serve",
        "--config",
        file,
      ]);
    },
  };
}

/** What answers behind all of them: nginx where it is installed, or it would be slower than what is measured. */
export function startUpstream(core: number, port: number, folder: string): Pinned {
  if (!has("nginx")) return new Pinned(core, process.execPath, [at("./upstream.ts"), String(port)]);
  const file = join(folder, `upstream-${port}.conf`);
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/upstream-${port}.pid; error_log /dev/null;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; default_type application/json;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; location / { return 200 '{"predictions":[{"fare_amount":11.36}]}'; } }
}
`,
  );
  return new Pinned(core, "nginx", ["-c", file, "-p", folder]);
}
