import { bucketOf } from "../../core/evidence/prediction-drift.ts";
import {
  centerOf,
  faulty,
  type PredictionRule,
  type Reading,
  readPredictions,
} from "../../core/predictions/read.ts";
import { compileRepeatable, type IsRepeatable } from "../../core/repeatable.ts";
import type { ColorReport } from "../../core/report.ts";
import type { RolloutView } from "../../core/rollout/counting.ts";
import type { ShadowView } from "../../core/shadow/view.ts";
import type { DataPlane } from "../data-plane.ts";
import type { Exchange } from "../exchange.ts";
import { Mirror } from "../shadow/mirror.ts";
import type { SentRequest, Tap, Taps } from "../tap.ts";
import { Allowance } from "./allowance.ts";
import { AnswerTap } from "./answer-tap.ts";
import { Bunch } from "./bunch.ts";
import { AnswerCounters } from "./counters.ts";
import { decode, isJson } from "./decode.ts";
import type { Gathered } from "./gathered.ts";
import { costOf, READ_PER_SECOND } from "./reading-cost.ts";

/** Answers that may wait to be read. */
const MOST_WAITING = 1000;
/** With so many, or so many bytes, reading begins; */
const BUNCH = 64;
const BUNCH_BYTES = 64 * 1024;
/** and so many are read before sockets have their turn again. */
const AT_ONCE = 16;

/** An answer whose client has it, waiting to be read. */
interface Waiting {
  readonly tap: AnswerTap;
  readonly content: Gathered;
  /** Tells the mirror what the main answer predicted; undefined where the request is not copied. */
  readonly onRead: ((reading: Reading | undefined) => void) | undefined;
}

/**
 * Reads the predictions in answers, after the clients have them, and has requests copied to a shadow. It takes what it can:
 * whatever is too much is left out and counted, and no request waits for it.
 */
export class Observer implements Taps {
  /** Bytes of answers that are being collected or wait. */
  held = 0;
  readonly mirror: Mirror;
  readonly #plane: DataPlane;
  readonly #allowance = new Allowance(READ_PER_SECOND);
  readonly #counters = new Map<string, AnswerCounters>();
  #rule: PredictionRule | undefined;
  #isRead: IsRepeatable = () => false;
  #rollout: RolloutView | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #bunch = new Bunch(() => this.#readSome(AT_ONCE));

  constructor(plane: DataPlane) {
    this.#plane = plane;
    this.mirror = new Mirror(plane);
  }

  /** Whether anything is to be looked at. */
  get active(): boolean {
    return this.#rule !== undefined || this.mirror.active;
  }

  configure(): void {
    const { predictions, shadow } = this.#plane.config;
    this.#rule = predictions;
    this.#isRead = predictions?.paths.length
      ? compileRepeatable(predictions.paths)
      : this.#plane.isRepeatable;
    this.mirror.configure(shadow);
  }

  serve(shadow: ShadowView | undefined, rollout: RolloutView | undefined): void {
    this.#rollout = rollout;
    this.mirror.serve(shadow);
  }

  /** Gives up what is under way to a shadow. */
  stop(): void {
    this.mirror.serve(undefined);
  }

  open(exchange: Exchange, now: number): Tap | undefined {
    const { method, path } = exchange.facts;
    if (method !== "POST") return undefined;
    const copied = this.mirror.active && this.mirror.wants(exchange, now);
    const isRead = this.#rule !== undefined && this.#isRead(method, path);
    const counts = isRead && this.#mayRead(now);
    if (isRead && !counts && !copied) this.#of(exchange.assigned.name).busy++;
    return copied || counts ? new AnswerTap(this, exchange, { copied, counts }) : undefined;
  }

  /**
   * Decided before there is an answer and whatever the color, so that what is left out says nothing about either. What is copied is read in
   * any case, but only one color's requests are: where the others would be left out, it is no evidence.
   */
  #mayRead(now: number): boolean {
    return this.#allowance.has(now) && this.#waiting.length < MOST_WAITING;
  }

  /** A client has its answer. Copies what is still needed; everything else happens later. */
  answered(tap: AnswerTap, request: SentRequest): void {
    const onRead = tap.copied ? this.mirror.copy(tap, request) : undefined;
    const { path, method } = tap.exchange.facts;
    if (this.#rule === undefined || tap.status !== 200 || !this.#isRead(method, path)) {
      onRead?.(undefined);
    } else if (tap.unread !== undefined) {
      this.#of(tap.exchange.color.name).skip(tap.unread);
      onRead?.(undefined);
    } else {
      const content = tap.take();
      this.#waiting.push({ tap, content, onRead });
      this.#waitingBytes += content.length;
      this.#readSoon();
    }
  }

  #readSoon(): void {
    this.#bunch.add(this.#waiting.length >= BUNCH || this.#waitingBytes >= BUNCH_BYTES);
  }

  #readSome(most: number): void {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && count < most && bytes < BUNCH_BYTES)
      bytes += this.#waiting[count++]!.content.length;
    this.#waitingBytes -= bytes;
    for (const each of this.#waiting.splice(0, count)) this.#read(each);
    if (this.#waiting.length > 0) this.#bunch.add(true);
  }

  #read(waiting: Waiting): void {
    const { tap, content } = waiting;
    if (!isJson(tap.type)) this.#done(waiting, faulty("not_json"));
    else if (tap.coding === undefined) this.#parse(waiting, content.text());
    else void decode(content.bytes(), tap.coding).then((text) => this.#parse(waiting, text));
  }

  /** @param text undefined where the content's coding could not be undone */
  #parse(waiting: Waiting, text: string | undefined): void {
    const rule = this.#rule;
    const { content } = waiting;
    if (text === undefined || rule === undefined) return this.#unread(waiting, "coding", content.length);
    const reading = readPredictions(text, waiting.tap.exchange.facts.path, rule);
    if (reading === undefined) this.#unread(waiting, "too_large", text.length);
    else this.#done(waiting, reading, text.length);
  }

  #done(waiting: Waiting, reading: Reading, size = 0): void {
    this.#free(waiting, size);
    const { tap, onRead } = waiting;
    this.#book(tap, reading, this.#of(tap.exchange.color.name));
    onRead?.(reading);
  }

  #unread(waiting: Waiting, why: "coding" | "too_large", size: number): void {
    this.#free(waiting, size);
    this.#of(waiting.tap.exchange.color.name).skip(why);
    waiting.onRead?.(undefined);
  }

  #free({ tap, content }: Waiting, size: number): void {
    this.held -= content.length;
    this.#allowance.take(costOf(size));
    if (tap.copied) this.mirror.charge(size);
  }

  /** One record for each request, whatever its rows: it is bad if one of them is, and lies where their mean does. */
  #book(tap: AnswerTap, { values, fault }: Reading, counters: AnswerCounters): void {
    const { exchange } = tap;
    const center = fault === undefined ? centerOf(values) : undefined;
    if (center === undefined) counters.bad(fault!);
    else counters.good(center);
    const isEvidence = tap.first && exchange.charging !== undefined;
    if (isEvidence) charge(exchange, center, this.#rollout);
    if (center !== undefined && this.#plane.served.wants(exchange.id)) this.#remember(tap, values);
  }

  #remember({ exchange, first }: AnswerTap, predictions: readonly number[]): void {
    const { charging, id, user } = exchange;
    const rho = first && charging && charging.rho > 0 && charging.rho < 1 ? charging.rho : undefined;
    const common = { id, at: Date.now(), color: exchange.color.name, digest: "", predictions };
    this.#plane.served.push({
      ...common,
      ...(rho === undefined ? {} : { rho }),
      ...(user === undefined ? {} : { user }),
    });
  }

  #of(color: string): AnswerCounters {
    let counters = this.#counters.get(color);
    if (counters === undefined) {
      counters = new AnswerCounters();
      this.#counters.set(color, counters);
    }
    return counters;
  }

  /** Reads what waits for a bunch to be full, because somebody wants to know of it now; of more than a bunch, as much. */
  flush(): void {
    this.#bunch.clear();
    this.#readSome(BUNCH);
  }

  /** What a report says of a color, as far as there is something to say. */
  report(color: string): Pick<ColorReport, "answers" | "copies"> {
    const answers = this.#counters.get(color)?.sums();
    const copies = this.mirror.outcomes(color);
    return { ...(answers && { answers }), ...(copies && { copies }) };
  }
}

/** @param center where its predictions lie; undefined for a bad answer */
function charge(exchange: Exchange, center: number | undefined, rollout: RolloutView | undefined): void {
  const charging = exchange.charging!;
  for (const { name } of charging.specsOf("answers")) exchange.charge(name, center === undefined);
  if (center === undefined) return;
  for (const { name, parameters = {} } of charging.specsOf("shift")) {
    const { above, below } = parameters;
    exchange.charge(name, above === undefined ? center < Number(below) : center > Number(above));
  }
  const reference = rollout?.reference;
  if (reference !== undefined) charging.measure("predictions", bucketOf(reference, center), 10);
}
