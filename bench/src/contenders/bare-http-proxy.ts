// The package http-proxy as its README shows it, with keep-alive to the upstreams: `node bare-http-proxy.ts PORT BLUE GREEN`.
import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";

const [port, blue, green] = process.argv.slice(2) as [string, string, string];
const proxy = httpProxy.createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true });
proxy.on("error", (_error, _request, response) => response.end());
createServer((request, response) => {
  proxy.web(request, response, { target: `http://127.0.0.1:${Math.random() < 0.9 ? blue : green}` });
}).listen(Number(port), "127.0.0.1");
