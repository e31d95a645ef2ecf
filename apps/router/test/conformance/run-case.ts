import type { ConnectionOptions } from "node:tls";
import { expect } from "vitest";
import type { CreateEngine } from "../../src/proxy/engine.ts";
import type { TlsMaterial } from "../../src/tls/material.ts";
import { TEST_CONFIG, type TestRouter, testRouter } from "../support/plane.ts";
import { RawClient } from "../support/raw-client.ts";
import type { Case, Expected } from "./case.ts";
import { type ReadResponse, readResponses } from "./read-responses.ts";
import { PROBE_PATH, type ScriptedUpstream, scriptedUpstream } from "./scripted-upstream.ts";

const PROBE = `GET ${PROBE_PATH} HTTP/1.1\r\nHost: probe\r\n\r\n`;
/** Longer than any time-out of a case, much shorter than a test's. */
const PATIENCE = 4000;

/** TLS between the client and the router. */
export interface Secure {
  readonly material: TlsMaterial;
  readonly client: ConnectionOptions;
}

/** Plays a case against an engine on real sockets. */
export async function runCase(test: Case, createEngine: CreateEngine, secure?: Secure): Promise<void> {
  const upstream = await scriptedUpstream(test.upstream ?? {});
  const router = await testRouter(
    { blue: { weight: 1, targets: [upstream.url] } },
    { config: { ...test.config?.(TEST_CONFIG) }, ...(secure ? { material: secure.material } : {}) },
    createEngine,
  );
  try {
    const client = await RawClient.connect(router.port, secure?.client);
    await play(test, client, upstream);
    if (!test.closed) client.send(PROBE);
    await within(ended(test, client), client);
    checkResponses(test, client);
    client.close();
    await checkUpstream(test, upstream, router, secure);
  } finally {
    await router.close();
    await upstream.close();
  }
}

/** Sends piece after piece; a further one once the one before shows at the upstream or at the client. */
async function play(test: Case, client: RawClient, upstream: ScriptedUpstream): Promise<void> {
  const pieces = typeof test.send === "string" ? [test.send] : test.send;
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await within(untilTrue(() => upstream.hits > 0 || client.text !== ""));
    client.send(piece);
  }
}

function ended(test: Case, client: RawClient): Promise<unknown> {
  if (test.closed === undefined) return client.until("PROBE-OK");
  if (test.closed === true) return client.untilClosed();
  return untilTrue(() => {
    const all = responsesTo(test, client).filter((each) => each.status >= 200 && each.complete);
    return all.length === test.responses.length;
  });
}

function responsesTo(test: Case, client: RawClient): ReadResponse[] {
  const sent = typeof test.send === "string" ? test.send : test.send.join("");
  const methods = [...sent.matchAll(/(?:^|\r\n)([A-Z]+) \S+ HTTP\/1\.[01]\r\n/g)].map((match) => match[1]!);
  return readResponses(client.text, methods, !client.closed ? "open" : client.reset ? "reset" : "end");
}

function checkResponses(test: Case, client: RawClient): void {
  const all = responsesTo(test, client);
  const final = all.filter((response) => response.status >= 200);
  if (!test.closed) expect(final.pop()?.body, client.text).toBe("PROBE-OK");
  expect(final.map((response) => response.status).length, client.text).toBe(test.responses.length);
  test.responses.forEach((expected, i) => {
    checkResponse(typeof expected === "number" ? { status: expected } : expected, final[i]!);
  });
  const interim = all.filter((response) => response.status < 200).map((response) => response.status);
  expect(interim).toEqual(test.interim ?? []);
}

function checkResponse(expected: Expected, response: ReadResponse): void {
  const statuses = typeof expected.status === "number" ? [expected.status] : expected.status;
  expect(statuses, response.head + response.body).toContain(response.status);
  expect(response.complete, `complete: ${response.head}${response.body}`).toBe(!expected.truncated);
  if (expected.body !== undefined) expect(response.body).toMatch(exactly(expected.body));
  const message = response.head + response.trailers;
  for (const part of expected.has ?? []) expect(message).toMatch(part);
  for (const part of expected.lacks ?? []) expect(message).not.toMatch(part);
}

async function checkUpstream(
  test: Case,
  upstream: ScriptedUpstream,
  router: TestRouter,
  secure: Secure | undefined,
): Promise<void> {
  const statuses = test.responses.map((each) => (typeof each === "number" ? each : each.status));
  const hits = test.hits ?? statuses.filter((status) => typeof status === "number" && status < 400).length;
  await router.close(); // ends the upstream's connections, so that all bytes are there
  if (test.aborted) await within(untilTrue(() => upstream.aborted));
  expect(upstream.hits, upstream.received).toBe(hits);
  for (const part of test.upstreamHas ?? []) {
    expect(upstream.received).toMatch(typeof part === "function" ? part(secure ? "https" : "http") : part);
  }
  for (const part of test.upstreamLacks ?? []) expect(upstream.received).not.toMatch(part);
  if (!test.aborted) expect(upstream.aborted).toBe(false);
}

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function exactly(body: string | RegExp): RegExp {
  return typeof body === "string" ? new RegExp(`^${body.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : body;
}

/** Fails with what was received, where a bare time-out would say nothing. */
async function within(done: Promise<unknown>, client?: RawClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing more comes after: ${client?.text}`)), PATIENCE);
  });
  await Promise.race([done, late]).finally(() => clearTimeout(timer));
}
