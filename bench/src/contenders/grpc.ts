import type { Place } from "./contender.ts";
import { haproxyBy } from "./haproxy.ts";
import { nginxBy, temporary } from "./nginx.ts";

/** nginx with HTTP/2 on both sides. */
export const nginxGrpc = nginxBy("nginx-grpc.conf", nginxConfig);

function nginxConfig({ folder, port, upstreams: [blue, green] }: Place): string {
  return `daemon off; worker_processes 1; pid ${folder}/nginx-grpc.pid; error_log /dev/null;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000;
  ${temporary(folder)}
  upstream model {
    server 127.0.0.1:${blue} weight=9; server 127.0.0.1:${green} weight=1;
    keepalive 128; keepalive_requests 100000000;
  }
  server { listen 127.0.0.1:${port} http2; location / { grpc_pass grpc://model; } }
}
`;
}

/** HAProxy with HTTP/2 on both sides. */
export const haproxyGrpc = haproxyBy("haproxy-grpc.cfg", haproxyConfig);

function haproxyConfig({ port, upstreams: [blue, green] }: Place): string {
  return `global
  nbthread 1
  maxconn 2000
  no strict-limits
defaults
  mode http
  timeout client 75s
  timeout server 60s
  timeout connect 1s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:${port} proto h2
  default_backend model
backend model
  server blue 127.0.0.1:${blue} weight 90 check proto h2
  server green 127.0.0.1:${green} weight 10 check proto h2
`;
}
