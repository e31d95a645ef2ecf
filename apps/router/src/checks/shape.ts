type Kind = "null" | "boolean" | "number" | "string" | "list" | "object";

/** What a JSON value is made of: what may stand at each place, merged over the elements of lists. */
export interface Shape {
  readonly kinds: ReadonlySet<Kind>;
  /** Of objects: each key, with whether all of them have it. */
  readonly keys: ReadonlyMap<string, { readonly always: boolean; readonly shape: Shape }>;
  /** Of the elements of lists; undefined where all lists are empty. */
  readonly element: Shape | undefined;
}

/** Deeper than this nothing is looked at. */
const DEEPEST = 32;

export function shapeOf(value: unknown, depth = 0): Shape {
  const nothing: Shape = { kinds: new Set([kindOf(value)]), keys: new Map(), element: undefined };
  if (depth >= DEEPEST) return nothing;
  if (Array.isArray(value)) {
    const elements = value.map((each) => shapeOf(each, depth + 1));
    return { ...nothing, element: elements.length > 0 ? elements.reduce(merged) : undefined };
  }
  if (typeof value !== "object" || value === null) return nothing;
  const entries = Object.entries(value);
  const keys = new Map(
    entries.map(([key, each]) => [key, { always: true, shape: shapeOf(each, depth + 1) }] as const),
  );
  return { ...nothing, keys };
}

function merged(a: Shape, b: Shape): Shape {
  const keys = new Map<string, { always: boolean; shape: Shape }>();
  const bothAreObjects = a.kinds.has("object") && b.kinds.has("object");
  for (const key of new Set([...a.keys.keys(), ...b.keys.keys()])) {
    const [one, other] = [a.keys.get(key), b.keys.get(key)];
    const always = bothAreObjects
      ? (one?.always ?? false) && (other?.always ?? false)
      : (one ?? other)!.always;
    const shape = one && other ? merged(one.shape, other.shape) : (one ?? other)!.shape;
    keys.set(key, { always, shape });
  }
  const element = a.element && b.element ? merged(a.element, b.element) : (a.element ?? b.element);
  return { kinds: new Set([...a.kinds, ...b.kinds]), keys, element };
}

function kindOf(value: unknown): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value as Kind;
}

/**
 * The first thing that clients of one shape would miss in another, as the end of a sentence; undefined where there is none. Further
 * keys are no fault: clients ignore what they do not know.
 */
export function missingIn(found: Shape, wanted: Shape, at = ""): string | undefined {
  const where = at || "the whole";
  const other = [...found.kinds].find((kind) => !wanted.kinds.has(kind));
  if (other !== undefined)
    return `${where} is ${named(other)}; expected ${[...wanted.kinds].map(named).join(" or ")}`;
  for (const [key, { always, shape }] of wanted.keys) {
    const own = found.keys.get(key);
    if (own === undefined || (always && !own.always)) {
      if (always && found.kinds.has("object")) return `${at}/${key} is missing`;
      continue;
    }
    const fault = missingIn(own.shape, shape, `${at}/${key}`);
    if (fault !== undefined) return fault;
  }
  if (wanted.element === undefined) return undefined;
  if (found.element === undefined) return found.kinds.has("list") ? `${where} is an empty list` : undefined;
  return missingIn(found.element, wanted.element, `${at}/*`);
}

function named(kind: Kind): string {
  if (kind === "null") return "null";
  return kind === "object" ? "an object" : `a ${kind}`;
}
