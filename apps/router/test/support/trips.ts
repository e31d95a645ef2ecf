import { setTimeout as pause } from "node:timers/promises";

/** A trip in the model's area. */
export const TRIP = {
  pickup_latitude: 40.758,
  pickup_longitude: -73.9855,
  dropoff_latitude: 40.6413,
  dropoff_longitude: -73.7781,
  passenger_count: 2,
};

export interface Answer {
  readonly status: number;
  readonly color: string | undefined;
  readonly version: string | undefined;
}

/** Asks for one prediction on a connection of its own. A client without an answer gets status 0. */
export async function predict(url: string): Promise<Answer> {
  try {
    const answer = await fetch(`${url}/api/predict/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Connection: "close" },
      body: JSON.stringify({ data: [TRIP] }),
    });
    const body = (await answer.json()) as { color?: string; model?: { version: string } };
    return { status: answer.status, color: body.color, version: body.model?.version };
  } catch {
    return { status: 0, color: undefined, version: undefined };
  }
}

/** A client that asks for a prediction again and again, with `gap` milliseconds between, until it is told to stop. */
export class SteadyClient {
  readonly answers: Answer[] = [];
  readonly #url: string;
  readonly #gap: number;
  readonly #done: Promise<void>;
  #stopping = false;

  constructor(url: string, gap = 150) {
    this.#url = url;
    this.#gap = gap;
    this.#done = this.#run();
  }

  /** Resolves once `count` more requests were answered, the next one begun after this call included. */
  async more(count: number): Promise<void> {
    const goal = this.answers.length + count;
    while (this.answers.length < goal) await pause(20);
  }

  /** Resolves with the answers that were no 200, none if all is well. */
  async stop(): Promise<Answer[]> {
    this.#stopping = true;
    await this.#done;
    return this.answers.filter(({ status }) => status !== 200);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.answers.push(await predict(this.#url));
      await pause(this.#gap);
    }
  }
}
