import { once } from "node:events";
import { createServer } from "node:net";
import type { Pinned } from "./pinned.ts";

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until a port answers with 200, at most ten seconds and as long as its process lives. */
export async function untilServing(port: number, pinned: Pinned): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const ok = await fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.arrayBuffer().then(() => answer.ok),
      () => false,
    );
    if (ok) return;
    const over = pinned.child.exitCode !== null || performance.now() > deadline;
    if (over) throw new Error(`nothing answers on port ${port}:\n${pinned.output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
