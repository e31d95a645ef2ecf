import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { AdminToken } from "../../src/config/config.ts";
import { testPlane } from "./control-plane.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export type Parts = Awaited<ReturnType<typeof testPlane>> & { folder: string };
export const JSON_TYPE = { "Content-Type": "application/json" };

/** A control plane with its state on a disk. */
export async function withFolder(tokens: readonly AdminToken[] = []): Promise<Parts> {
  const folder = temporaryFolder();
  const admin = { listen: { host: "127.0.0.1", port: 9900 }, tokens };
  return { folder, ...(await testPlane({ state: folder, admin })) };
}

/** Everything that a refused call must leave as it is. */
function whole({ plane, folder, channel }: Parts) {
  const { snapshot, routing } = plane.store.view;
  const bytes = readFileSync(join(folder, "state.json"), "utf8");
  return {
    snapshot,
    routing,
    bytes,
    history: plane.store.history.length,
    published: channel.published.length,
  };
}

/** Makes a call that is refused by `status` with a sentence, and changes nothing. */
export async function refuses(
  parts: Parts,
  [method, path, body, headers]: [string, string, unknown?, Record<string, string>?],
  status: number,
  detail: string | RegExp,
) {
  const before = whole(parts);
  const answer = await parts.call(method, path, body, headers);
  expect(answer.body).toMatchObject({ type: "about:blank", status, title: expect.any(String) });
  expect(answer.body.detail).toMatch(detail);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  expect(whole(parts)).toEqual(before);
  return answer;
}
