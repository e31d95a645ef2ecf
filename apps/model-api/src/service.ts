import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { ArtifactError, loadModel, type Model } from "@sluice/model";

/** Who answers: on every answer of the predictions, in the metrics and in the health. */
export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** What this process serves. Only `drain` changes it, once. */
export interface Service {
  /** Aborted by `drain`. */
  readonly draining: AbortSignal;
  readonly color: string;
  readonly model: Model | undefined;
  readonly identity: ModelIdentity | undefined;
  /** Why no new traffic should come; undefined when it may. */
  notReady(): string | undefined;
  /** The process is about to end: not ready from now on, but it goes on answering. */
  drain(): void;
}

/** A model that must not be served, or a file that cannot be read. The message is one sentence. */
export class ModelRefused extends Error {
  override readonly name = "ModelRefused";
}

export function createService(options: { color: string; model?: Model | undefined }): Service {
  const { color, model } = options;
  const draining = new AbortController();
  // Each watcher of the health listens, and Node takes more than ten for a leak.
  setMaxListeners(0, draining.signal);
  return {
    color,
    model,
    identity: model && identify(model),
    draining: draining.signal,
    notReady() {
      if (draining.signal.aborted) return "The server is shutting down.";
      return model ? undefined : "No model is loaded.";
    },
    drain() {
      draining.abort();
    },
  };
}

/**
 * Reads and proves `model.json`. A file that is not there is no error: the server then lives without a model, because a
 * deploy may start it before it brings one.
 * @throws ModelRefused when the file is damaged, tampered with or unreadable
 */
export function readModel(path: string): Model | undefined {
  try {
    return loadModel(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof ArtifactError)
      throw new ModelRefused(`the model in ${path} is refused: ${error.message}`);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new ModelRefused(`the model in ${path} cannot be read: ${message}.`);
  }
}

function identify({ artifact: { name, version, digest } }: Model): ModelIdentity {
  return { name, version, digest };
}
