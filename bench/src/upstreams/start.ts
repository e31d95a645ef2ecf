import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporary } from "../contenders/nginx.ts";
import { type Cores, has, Pinned } from "../processes/pinned.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * What gives small answers: nginx where it is installed, or it would be slower than what is measured.
 * @param identity version and digest that they name; empty: none
 */
export function startSmall(core: Cores, port: number, folder: string, identity = ""): Pinned {
  if (!has("nginx")) return new Pinned(core, process.execPath, [at("./small.ts"), String(port), identity]);
  const named =
    identity === "" ? "" : `add_header X-Model-Version ${identity}; add_header X-Model-Digest ${identity};`;
  const file = join(folder, `upstream-${port}.conf`);
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/upstream-${port}.pid; error_log /dev/null;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; default_type application/json;
  ${temporary(folder)}
  server { listen 127.0.0.1:${port}; location / { ${named} return 200 '{"predictions":[{"fare_amount":11.36}]}'; } }
}
`,
  );
  return new Pinned(core, "nginx", ["-c", file, "-p", folder]);
}

/** What answers gRPC calls. */
export function startGrpc(core: Cores, port: number): Pinned {
  return new Pinned(core, process.execPath, [at("./grpc.ts"), String(port)]);
}

/** What sends and takes large bodies. */
export function startBodies(core: Cores, port: number): Pinned {
  return new Pinned(core, process.execPath, [at("./bodies.ts"), String(port)]);
}
