import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { Child } from "../../apps/router/test/support/child.ts";
import { refusedPort } from "../../apps/router/test/support/upstream.ts";
import { installed } from "../../test.shared.ts";

const NAME = "models.example.com";

interface SecureProxy {
  readonly name: string;
  /** Of the block in the document. */
  readonly language: string;
  readonly installed: boolean;
  /** Runs the document's configuration, with a certificate of its own for localhost. */
  start(text: string, folder: string): Promise<Secure>;
}

interface Secure {
  /** The status of a GET. */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<number>;
}

export const secureProxies: readonly SecureProxy[] = [
  { name: "Caddy", language: "caddyfile", installed: installed("caddy", "version"), start: startCaddy },
  { name: "nginx", language: "nginx", installed: installed("nginx", "-v"), start: startNginx },
];

async function startCaddy(text: string, folder: string): Promise<Secure> {
  const port = await refusedPort();
  const options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n";
  const path = join(folder, "Caddyfile");
  writeFileSync(path, options + text.replace(NAME, `https://localhost:${port}`));
  const env = { XDG_DATA_HOME: join(folder, "caddy"), XDG_CONFIG_HOME: join(folder, "caddy") };
  return reached(port, new Child("caddy", ["run", "--config", path, "--adapter", "caddyfile"], { env }));
}

async function startNginx(text: string, folder: string): Promise<Secure> {
  const port = await refusedPort();
  const home = join(folder, "nginx");
  mkdirSync(home);
  const [key, certificate] = [join(home, "key.pem"), join(home, "certificate.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"];
  execFileSync("openssl", [...request, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const server = text
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace(`server_name ${NAME}`, "server_name localhost")
    .replace(/\S+fullchain\.pem/, certificate)
    .replace(/\S+privkey\.pem/, key);
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${home}/${kind};`,
  );
  const path = join(home, "nginx.conf");
  const frame = `pid ${home}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${folders.join("\n")}\n`;
  writeFileSync(path, `daemon off;\n${frame}${server}}\n`);
  return reached(port, new Child("nginx", ["-c", path, "-p", home]));
}

/** Waits until the port is open. */
async function reached(port: number, child: Child): Promise<Secure> {
  for (;;) {
    if (!child.running) throw new Error(`the proxy ended:\n${child.output}`);
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "close").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return { get: (path, headers) => status(port, path, headers) };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function status(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  // The certificate is the test's own.
  const options = { port, path, headers: { ...headers }, rejectUnauthorized: false, agent: false };
  const request = get({ host: "localhost", family: 4, ...options });
  const [response] = await once(request, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}
