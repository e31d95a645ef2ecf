import { createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@sluice/protos";
import { runCall } from "./call.ts";

/** `npm run grpc:health`: what grpc.health.v1 says of every service; exit code 1 when one is not serving. */
await runCall("grpc:health", async (transport) => {
  const { statuses } = await createClient(Health, transport).list({});
  if (Object.values(statuses).some(({ status }) => status !== Status.SERVING)) process.exitCode = 1;
  const name = (status: number) => Object.entries(Status).find(([, value]) => value === status)?.[0];
  const services = Object.entries(statuses).map(([service, { status }]) => [
    service || "server",
    name(status),
  ]);
  return Object.fromEntries(services);
});
