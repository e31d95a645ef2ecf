import { Socket } from "node:net";

/**
 * Loaded into every process that `sluice up` starts: the supervisor holds the other end of this pipe, and when it is
 * gone, however it ended, the process ends as if it had been asked to. Ports would else stay taken.
 */
const PIPE = 3;

const supervisor = new Socket({ fd: PIPE, readable: true, writable: false });
supervisor.on("error", () => {});
supervisor.on("close", () => process.kill(process.pid, "SIGTERM"));
supervisor.resume();
supervisor.unref();
