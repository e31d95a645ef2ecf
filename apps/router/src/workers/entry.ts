// The process of one worker: `entry.ts NUMBER FOLDER`, with the listening socket inherited.
import { WorkerProcess } from "./worker-process.ts";

const [worker, folder] = process.argv.slice(2);
await new WorkerProcess(Number(worker), folder!).open();
