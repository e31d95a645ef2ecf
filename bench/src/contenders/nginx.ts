import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Pinned } from "../processes/pinned.ts";
import { type Contender, fromDebian, type Place } from "./contender.ts";

/** nginx with one thread or process, by a configuration that is written to `name`. */
export const nginxBy = (name: string, configure: (place: Place) => string): Contender => ({
  name: "nginx",
  native: true,
  missing: fromDebian("nginx"),
  start(place) {
    const file = join(place.folder, name);
    writeFileSync(file, configure(place));
    return new Pinned(place.core, "nginx", ["-c", file, "-p", place.folder]);
  },
});

export const nginx = nginxBy("nginx.conf", nginxConfig);

function nginxConfig({ folder, port, upstreams: [blue, green], connections }: Place): string {
  const files = connections + 1000;
  return `daemon off; worker_processes 1; worker_rlimit_nofile ${files}; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections ${files}; }
http {
  access_log off; keepalive_requests 100000000; client_max_body_size 0;
  ${temporary(folder)}
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
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }
  }
}
`;
}

/** nginx wants to be able to write to these even where it never does. */
export function temporary(folder: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder};`)
    .join(" ");
}
