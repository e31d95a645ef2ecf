import { createHash } from "node:crypto";
import { z } from "zod";
import type { FileColors, RoutingState } from "../core/transitions.ts";
import { heaviest } from "../core/weights.ts";
import { type HistoryEntry, historyEntry } from "./history.ts";

/** Raised with every change that an older router could not read. */
export const SCHEMA_VERSION = 2;

/** Everything that outlives a restart, written as one file so that no two parts of it can disagree. */
export interface SavedState {
  /** No snapshot up to this epoch may be published again: those between two saves are published unsaved. */
  readonly reservedEpoch: number;
  /** Which colors the file named when this was saved; when they change, the file wins. */
  readonly fileDigest: string;
  readonly routing: RoutingState;
  readonly history: readonly HistoryEntry[];
}

/** Written by a newer router: to guess at its meaning could move traffic. */
export class NewerSchemaError extends Error {}
/** Not a state file, or not the one that was written. */
export class DamagedError extends Error {}

const weights = z.record(z.string(), z.number().nonnegative());
const gate = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("pause"),
    max: z.int().nonnegative(),
    timeout: z.number().positive(),
    until: z.number(),
    reason: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal("maintenance"), message: z.string(), retryAfter: z.int().positive() }),
]);
const schema = z.strictObject({
  schema_version: z.union([z.literal(1), z.literal(SCHEMA_VERSION)]),
  checksum: z.string(),
  reserved_epoch: z.int().nonnegative(),
  file_digest: z.string(),
  revision: z.int().positive(),
  weights,
  targets: z.record(z.string(), z.array(z.string())),
  previous: weights.optional(),
  last: z.string().optional(),
  back: z.string().optional(),
  gate: gate.optional(),
  history: z.array(historyEntry),
});

export function serialize({ routing, ...saved }: SavedState): string {
  const { revision, weights, targets, previous, last, back, gate } = routing;
  const body = {
    schema_version: SCHEMA_VERSION,
    reserved_epoch: saved.reservedEpoch,
    file_digest: saved.fileDigest,
    revision,
    weights,
    targets,
    previous,
    last,
    back,
    gate,
    history: saved.history,
  };
  return `${JSON.stringify({ ...body, checksum: checksum(body) }, null, 1)}\n`;
}

/**
 * `heaviest` is not saved: it is the file's, and the file is at hand.
 * @throws NewerSchemaError, DamagedError
 */
export function deserialize(text: string, file: FileColors): SavedState {
  const raw = parse(text);
  const version = (raw as { schema_version?: unknown } | null)?.schema_version;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new NewerSchemaError(`has schema version ${version}; this router knows up to ${SCHEMA_VERSION}`);
  }
  const result = schema.safeParse(raw);
  if (!result.success) throw new DamagedError(z.prettifyError(result.error).replaceAll("\n", " "));
  const { checksum: sum, ...body } = raw as Record<string, unknown>;
  if (sum !== checksum(body)) throw new DamagedError("its checksum does not match its content");
  const { reserved_epoch, file_digest, history, revision, weights, targets, previous, last, back, gate } =
    result.data;
  return {
    reservedEpoch: reserved_epoch,
    fileDigest: file_digest,
    routing: { revision, weights, targets, previous, last, back, gate, heaviest: heaviest(file.weights) },
    history,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DamagedError(`it is not JSON (${(error as Error).message})`);
  }
}

function checksum(body: object): string {
  return sha256(JSON.stringify(body));
}

/** Says whether the file's own colors changed: names, order, weights and targets. */
export function digestOf(file: FileColors): string {
  return sha256(JSON.stringify([Object.entries(file.weights), Object.entries(file.targets)]));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
