/** RFC 9110 section 9.2.2: methods whose repetition has the same intended effect as one request. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/**
 * Whether a request may be sent again although a server may have acted on it: its method is idempotent, or it is a POST
 * to one of the declared paths.
 */
export type IsRepeatable = (method: string, path: string) => boolean;

/** `.` and `..`, encoded or not: an upstream may resolve them to a path that was never declared. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

/** Compiles `retry.idempotent_paths`; `*` stands for one segment, everything else is compared byte for byte. */
export function compileRepeatable(idempotentPaths: readonly string[]): IsRepeatable {
  const literal = new Set(idempotentPaths.filter((path) => !path.includes("*")));
  const patterns = idempotentPaths.filter((path) => path.includes("*")).map((path) => path.split("/"));
  const isDeclared = (path: string) => {
    const query = path.indexOf("?");
    const bare = query < 0 ? path : path.slice(0, query);
    if (literal.has(bare)) return true;
    if (patterns.length === 0) return false;
    const segments = bare.split("/");
    return patterns.some((pattern) => matches(pattern, segments));
  };
  // One request is asked about several times, and models have few paths.
  let last = "";
  let wasDeclared = isDeclared(last);
  return (method, path) => {
    if (method !== "POST") return IDEMPOTENT_METHODS.has(method);
    if (path !== last) {
      last = path;
      wasDeclared = isDeclared(path);
    }
    return wasDeclared;
  };
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, i) => (part === "*" ? isPlain(segments[i]!) : part === segments[i]));
}

function isPlain(segment: string): boolean {
  return segment !== "" && !DOT_SEGMENT.test(segment);
}
