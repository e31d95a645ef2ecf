import { type Client, credentials, loadPackageDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, expect, it } from "vitest";
import { Child, endChildren, rootPath } from "../support/child.ts";
import {
  type RunningRouter,
  removeFolder,
  startRouter,
  untilAnswers,
  untilHealth,
} from "../support/running-router.ts";
import { endRouter } from "../support/upgrading.ts";
import { refusedPort } from "../support/upstream.ts";

let router: RunningRouter;
let client: Client;
afterEach(async () => {
  client?.close();
  await endRouter(router);
  await endChildren();
  removeFolder(router.folder);
});

type Callback = (error: ServiceError | null, answer?: { status: string }) => void;
type Health = Client & {
  Check(request: object, options: object, callback: Callback): void;
  Watch(request: object): { on(event: string, listener: (value: never) => void): void; cancel(): void };
};

/** Made from the public proto file alone. */
function healthClient(address: string): Health {
  const definition = loadSync(rootPath("packages/protos/proto/grpc/health/v1/health.proto"), {
    enums: String,
    defaults: true,
  });
  // biome-ignore lint/suspicious/noExplicitAny: proto-loader makes the client at run time
  const { Health } = (loadPackageDefinition(definition) as any).grpc.health.v1;
  return new Health(address, credentials.createInsecure());
}

it("checks the real model API by gRPC, and passes calls and their errors through to an h2c target", async () => {
  const port = String(await refusedPort());
  const args = ["--port", port, "--color", "blue", "--model", "artifacts/1.0.0/model.json"];
  await untilAnswers(`http://127.0.0.1:${port}/health/ready`, Child.node("apps/model-api/src/main.ts", args));
  router = await startRouter({
    colors: { blue: { weight: 1, targets: [`h2c://127.0.0.1:${port}`] } },
    health: { grpc: "inference.GRPCInferenceService", timeout: "10s" },
    timeouts: { connect: "10s" },
  });
  await untilHealth(router, "blue", "up");
  const { colors } = (await (await fetch(`${router.admin}/admin/state`)).json()) as {
    colors: { targets: { last_check: { detail: string }; version: string }[] }[];
  };
  expect(colors[0]!.targets[0]).toMatchObject({ last_check: { detail: "SERVING" }, version: "1.0.0" });
  // a client of HTTP/1.1
  expect((await fetch(`${router.url}/v2/models`)).status).toBe(200);

  const health = healthClient(router.url.slice("http://".length));
  client = health;
  const check = (service: string, deadline = Date.now() + 20_000) =>
    new Promise<{ code: number; answer: string | undefined }>((resolve) =>
      health.Check({ service }, { deadline }, (error, answer) =>
        resolve({ code: error?.code ?? status.OK, answer: answer?.status }),
      ),
    );
  expect(await check("")).toEqual({ code: status.OK, answer: "SERVING" });
  expect((await check("nobody")).code).toBe(status.NOT_FOUND);
  expect((await check("", Date.now() - 1)).code).toBe(status.DEADLINE_EXCEEDED);
  const watch = health.Watch({ service: "" });
  const ended = new Promise<ServiceError>((resolve) => watch.on("error", resolve));
  await new Promise((resolve) => watch.on("data", resolve));
  watch.cancel();
  expect((await ended).code).toBe(status.CANCELLED);
  expect((await check("")).code).toBe(status.OK);
});
