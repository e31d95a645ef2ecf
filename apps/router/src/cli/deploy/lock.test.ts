import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { describeHolder, takeLock } from "./lock.ts";

const folder = temporaryFolder();

test("the lock is one deploy's, and says whose", async () => {
  const place = join(folder, "locks");
  const first = await takeLock(place, "deploy a:1");
  expect(first.stale).toBeUndefined();
  await expect(takeLock(place, "deploy b:1")).rejects.toThrow(
    new RegExp(`another deploy is under way .* \\(process ${process.pid} of .* deploy a:1\\)`),
  );
  await first.release();
  const holder = { pid: 9, user: "ana", host: "vm1", since: "2026-11-21T20:00:00Z", what: "deploy c:1" };
  writeFileSync(join(place, "lock.json"), JSON.stringify(holder));
  const second = await takeLock(place, "deploy b:1");
  expect(describeHolder(second.stale!)).toBe(
    "process 9 of ana on vm1, since 2026-11-21T20:00:00Z: deploy c:1",
  );
  await second.release();
});
