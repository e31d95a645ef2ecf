import "./quiet-extend.ts";
import httpProxy from "http-proxy";
import { joinAnew, type TunnelOptions } from "./tunnel.ts";

/** http-proxy, with what it does wrong by itself taken out. */
export function mendedProxy(): httpProxy {
  const proxy = httpProxy.createProxyServer({});
  // http-proxy's own pass says "content-length: 0" over a chunked DELETE and OPTIONS (http-proxy #1721).
  const passes = proxy as unknown as { webPasses: { name: string }[] };
  passes.webPasses = passes.webPasses.filter((pass) => pass.name !== "deleteLength");
  proxy.on("proxyReqWs", (proxyRequest, _request, _socket, options) => {
    (options as TunnelOptions).tunnel.bind(proxyRequest);
  });
  proxy.on("open", joinAnew);
  return proxy;
}
