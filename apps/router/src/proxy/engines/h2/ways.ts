import type { Target } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import { Pools } from "../http-proxy/outgoing.ts";
import { Http1Upstream } from "./upstream/http1-upstream.ts";
import { Http2Pool } from "./upstream/pool.ts";
import type { Upstream, UpstreamReader, UpstreamRequest } from "./upstream/upstream.ts";

export interface Way {
  /** On a new connection, because a kept one turned out to be stale. */
  readonly fresh: boolean;
  readonly repeatable: boolean;
}

/** The ways of HTTP/2 clients' requests to targets, by what a target and a request speak. */
export class Ways {
  readonly http2: Http2Pool;
  readonly #http1: Pools;

  constructor(plane: DataPlane) {
    this.http2 = new Http2Pool(plane);
    this.#http1 = new Pools(plane.dialer, this.http2);
  }

  /** A gRPC call takes HTTP/2 to any target; everything else HTTP/1.1, unless the target knows only HTTP/2. */
  open(target: Target, request: UpstreamRequest, reader: UpstreamReader, way: Way): Upstream {
    if (request.isGrpc || target.protocol === "h2c")
      return this.http2.open(target, request, reader, way.fresh);
    const agent = way.fresh ? this.#http1.fresh(target) : this.#http1.for(target, way.repeatable);
    return new Http1Upstream(target, agent, request, reader);
  }

  close(): void {
    this.http2.close();
    this.#http1.destroy();
  }
}
