import { Compose } from "./compose/compose.ts";
import { composeDriver } from "./compose/driver.ts";
import type { Driver } from "./driver.ts";
import { localDriver } from "./local/driver.ts";
import { type DeployFlags, portOf, pullOf } from "./options.ts";
import type { Version } from "./version.ts";

type DriverFlags = Pick<DeployFlags, "file" | "service" | "pull" | "port" | "server">;

/** The drivers of versions by their kind. Compose is looked for when the first image is met. */
export function driversOf(
  { file, service, pull, port, server }: DriverFlags,
  folder: string,
): (which: Pick<Version, "kind" | "ref">) => Promise<Driver> {
  const options = { folder, port: portOf(port), server };
  const policy = pullOf(pull);
  let compose: Promise<Compose> | undefined;
  return async ({ kind, ref }) => {
    if (kind === "artifact") return localDriver({ ...options, artifact: ref });
    compose ??= Compose.open(file);
    return composeDriver({ compose: await compose, image: ref, service, pull: policy });
  };
}
