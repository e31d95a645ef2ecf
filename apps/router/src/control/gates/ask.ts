import { request } from "node:http";
import { targetAddress } from "../../core/target-address.ts";
import { reasonOf } from "../../targets/check-result.ts";
import type { Dialer } from "../../targets/dialer.ts";
import { askHttp2 } from "../../targets/http2-question.ts";

/** Bytes of an answer that are read; golden rows are the longest. */
const LIMIT = 16 * 1024 * 1024;
const OWN = { "User-Agent": "sluice-gate", Accept: "application/json" };

export interface Question {
  readonly path: string;
  /** JSON, which makes it a POST. */
  readonly body?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A gate is not passed; the message is the sentence about it, without its end. */
export class GateError extends Error {
  /** It may be otherwise the next time: no answer, or a server error. A rate of these is a guard's to judge. */
  readonly passing: boolean;

  constructor(message: string, passing = false) {
    super(message);
    this.passing = passing;
  }
}

/** Asks a target, on a connection of its own, over the protocol that its URL names. Redirects are answers. */
export type AskTarget = (url: string, question: Question, signal: AbortSignal) => Promise<Answer>;

/** @throws GateError there is no answer; the signal's reason, once it is aborted */
export function askTarget(dialer: Dialer): AskTarget {
  return async (url, question, signal) => {
    const h2c = targetAddress(url).protocol === "h2c";
    try {
      return await (h2c ? overHttp2 : overHttp1)(dialer, url, question, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GateError) throw error;
      throw new GateError(`${nameOf(url, question)} has no answer (${reasonOf(error as Error)})`, true);
    }
  };
}

/** `POST http://127.0.0.1:8002/api/predict/`. */
export const nameOf = (url: string, { path, body }: Question) =>
  `${body === undefined ? "GET" : "POST"} ${url}${path}`;

async function overHttp2(
  dialer: Dialer,
  url: string,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { path, body } = question;
  const content = body === undefined ? {} : { body: Buffer.from(body) };
  const headers = { ...OWN, ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const method = body === undefined ? "GET" : "POST";
  const answer = await askHttp2(dialer, url, { method, path, headers, limit: LIMIT, ...content }, signal);
  return { status: answer.status, text: answer.body.toString("utf8") };
}

function overHttp1(dialer: Dialer, url: string, question: Question, signal: AbortSignal): Promise<Answer> {
  const address = targetAddress(url);
  const { host, port, authority } = address;
  const { path, body } = question;
  const content =
    body === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const headers = { ...OWN, ...content, Connection: "close", Host: authority };
  const method = body === undefined ? "GET" : "POST";
  const createConnection = () => dialer.dial(address);
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method, path, signal, headers, createConnection });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on("error", reject);
      incoming.on("aborted", () =>
        reject(new GateError(`${nameOf(url, question)} breaks off in its answer`, true)),
      );
      incoming.on("data", (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length <= LIMIT) return;
        reject(new GateError(`${nameOf(url, question)} answers more than ${LIMIT} bytes`));
        outgoing.destroy();
      });
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.end(body);
  });
}
