import { connect } from "node:http2";
import type { Pinned } from "./pinned.ts";

/** Waits until a port answers a gRPC call over HTTP/2 with status 0, at most ten seconds and as long as its process lives. */
export function untilGrpc(port: number, pinned: Pinned): Promise<void> {
  return until(() => answersGrpc(port), port, pinned);
}

/** One call without a message's content, on a connection of its own. */
async function answersGrpc(port: number): Promise<boolean> {
  const session = connect(`http://127.0.0.1:${port}`);
  const ended = new Promise<boolean>((resolve) => {
    session.on("error", () => resolve(false));
    const call = { ":method": "POST", ":path": "/bench.Model/Infer", "content-type": "application/grpc" };
    const stream = session.request({ ...call, te: "trailers" });
    stream.on("error", () => resolve(false));
    stream.on("trailers", (trailers) => resolve(trailers["grpc-status"] === "0"));
    stream.on("close", () => resolve(false));
    stream.resume().end(Buffer.alloc(5));
  });
  return ended.finally(() => session.destroy());
}

/** Waits until a port answers with 200, at most ten seconds and as long as its process lives. */
export function untilServing(port: number, pinned: Pinned): Promise<void> {
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.arrayBuffer().then(() => answer.ok),
      () => false,
    );
  return until(answers, port, pinned);
}

async function until(answers: () => Promise<boolean>, port: number, pinned: Pinned): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    if (await answers()) return;
    const over = pinned.child.exitCode !== null || performance.now() > deadline;
    if (over) throw new Error(`nothing answers on port ${port}:\n${pinned.output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
