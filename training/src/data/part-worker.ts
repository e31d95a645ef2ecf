import { parentPort, workerData } from "node:worker_threads";
import { type PartAnswer, type PartRequest, parseRange } from "./parts.ts";

const { path, range, header } = workerData as PartRequest;
const { trips, dropped } = await parseRange(path, range, header);
const answer: PartAnswer = { values: trips.values(), dropped };
parentPort!.postMessage(answer, [answer.values.buffer as ArrayBuffer]);
