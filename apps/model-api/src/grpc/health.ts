import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  GRPCInferenceService,
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@sluice/protos";
import type { Service } from "../service.ts";

/** The server as a whole, and the service that predicts. */
const SERVICES = ["", GRPCInferenceService.typeName];

/** `grpc.health.v1.Health`: serving as long as `/health/ready` says ready. */
export function healthService(service: Service): ServiceImpl<typeof Health> {
  const status = () => (service.notReady() === undefined ? Status.SERVING : Status.NOT_SERVING);
  return {
    check(request) {
      if (SERVICES.includes(request.service)) return { status: status() };
      throw new ConnectError(
        `Service ${JSON.stringify(request.service.slice(0, 100))} is unknown.`,
        Code.NotFound,
      );
    },
    list: () => ({ statuses: Object.fromEntries(SERVICES.map((name) => [name, { status: status() }])) }),
    async *watch(request, { signal }) {
      const known = SERVICES.includes(request.service);
      yield { status: known ? status() : Status.SERVICE_UNKNOWN };
      if (known && !service.draining.aborted) {
        await firstAborted(service.draining, signal);
        if (!signal.aborted) yield { status: status() };
      }
      await firstAborted(signal);
      throw signal.reason;
    },
  };
}

/** Resolves as soon as one of the signals is aborted, and leaves no listener behind. */
function firstAborted(...signals: AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const signal of signals) signal.removeEventListener("abort", done);
      resolve();
    };
    for (const signal of signals) signal.addEventListener("abort", done);
    if (signals.some(({ aborted }) => aborted)) done();
  });
}
