import type { ShadowConfig } from "../../config/config.ts";
import type { Field } from "../../core/forwarding.ts";
import { centerOf, faulty, type Reading, readPredictions } from "../../core/predictions/read.ts";
import { compare } from "../../core/shadow/compare.ts";
import { impersonal, PairBook, type PairReport, type WorstPair } from "../../core/shadow/pairs.ts";
import { bucketIn } from "../../core/shadow/slices.ts";
import { decode, isJson, isPlain, MOST_DECODED } from "../answers/decode.ts";
import type { Gathered } from "../answers/gathered.ts";
import type { DataPlane } from "../data-plane.ts";
import type { LiveColor } from "../live-color.ts";
import type { Echo } from "./flight.ts";

/** A request that is sent a second time. */
export interface Copy {
  readonly id: string;
  readonly path: string;
  readonly fields: () => readonly Field[];
  readonly body: Gathered;
  /** What the main answer predicted; undefined where it is not read. */
  readonly main: Promise<Reading | undefined>;
  /** The shadow. */
  readonly color: LiveColor;
  readonly pairing: Pairing;
  /** How answers were compared when it was made. */
  readonly measure: string;
}

/** Bytes of a request that may be kept with a worst pair: reports carry them. */
const MOST_KEPT_BODY = 4096;
/** Characters of its path that are. */
const MOST_KEPT_PATH = 512;
/** The shadow's answer has more predictions than any that a main answer is read of. */
const TOO_MANY: Reading = { values: [], fault: undefined };

/** Compares main answers with those of their copies, for one pair of versions. */
export class Pairing {
  readonly #plane: DataPlane;
  readonly #book: PairBook;
  #options: ShadowConfig;

  constructor(plane: DataPlane, options: ShadowConfig) {
    this.#plane = plane;
    this.#options = options;
    this.#book = new PairBook(options.worst);
  }

  configure(options: ShadowConfig): void {
    this.#options = options;
  }

  report(): PairReport {
    return this.#book.report();
  }

  /**
   * Only what the main color answered well is compared: then a copy that failed, was refused or answered nonsense disagrees.
   */
  async add(copy: Copy, echo: Echo): Promise<void> {
    const main = await copy.main;
    if (main === undefined || main.fault !== undefined) return;
    const shadow = await this.#read(copy, echo);
    if (shadow === undefined || !this.#plane.observer.mirror.counts(copy)) return;
    this.#remember(copy, main, shadow);
    const comparison = compare(main.values, shadow.values, this.#options);
    const slices = this.#slicesOf(copy.body);
    this.#book.add(comparison, slices, () =>
      this.#chosen({
        request_id: copy.id,
        at: Date.now(),
        path: copy.path.slice(0, MOST_KEPT_PATH),
        main: comparison.main,
        shadow: comparison.shadow ?? null,
        difference: comparison.difference ?? null,
        outcome: shadow.fault ?? echo.outcome,
        slices,
        ...bodyOf(copy),
      }),
    );
  }

  /** Undefined where nobody wants to know any more. A coding that cannot be undone is a fault: it was asked for none. */
  async #read({ path }: Copy, { status, type, coding, content }: Echo): Promise<Reading | undefined> {
    const rule = this.#plane.config.predictions;
    if (rule === undefined) return undefined;
    if (status !== 200 || content.length === 0) return faulty("missing");
    if (!isJson(type)) return faulty("not_json");
    const text = isPlain(coding)
      ? content.text()
      : await decode(content.bytes(), coding!, Math.min(this.#options.answer, MOST_DECODED));
    this.#plane.observer.mirror.charge(text?.length ?? content.length);
    if (text === undefined) return faulty("not_json");
    return readPredictions(text, path, rule) ?? TOO_MANY;
  }

  #remember({ id, color }: Copy, main: Reading, { values: predictions, fault }: Reading): void {
    if (fault !== undefined || !this.#plane.served.wants(id)) return;
    const about = { id, at: Date.now(), color: color.name, digest: "", predictions };
    this.#plane.served.push({ ...about, shadow: true, beside: centerOf(main.values) });
  }

  #slicesOf(body: Gathered): Record<string, string> {
    const { slices } = this.#options;
    if (slices.length === 0) return {};
    const request = parse(body);
    return Object.fromEntries(slices.map((slice) => [slice.field.text, bucketIn(request, slice)]));
  }

  #chosen(pair: WorstPair): WorstPair {
    return this.#options.bodies ? pair : impersonal(pair);
  }
}

function bodyOf({ body }: Copy): Pick<WorstPair, "body"> {
  return body.length > MOST_KEPT_BODY ? {} : { body: body.text() };
}

function parse(body: Gathered): unknown {
  try {
    return JSON.parse(body.text());
  } catch {
    return undefined;
  }
}
