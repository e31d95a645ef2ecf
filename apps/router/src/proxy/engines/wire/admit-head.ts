import type { Field } from "../../../core/forwarding.ts";
import { type Admitted, admit, type HeadLimits, type Refusal } from "../../../core/request-line.ts";
import { FIELD, kinds } from "./field-kind.ts";
import type { Head } from "./head.ts";

const UNUSUAL = kinds(FIELD.transferEncoding, FIELD.expect, FIELD.contentLength, FIELD.upgrade);

/**
 * The rules of `core/request-line` on a head that was just read. A request without a body to a host that was valid a
 * moment ago on the same connection takes a short cut; every other goes through all of them.
 * @param knownHost the last host that was found valid here
 */
export function admitHead(head: Head, limits: HeadLimits, knownHost: string | undefined): Admitted | Refusal {
  const { method, target } = head;
  if ((head.seen & UNUSUAL) === 0 && knownHost !== undefined && head.minor === 1 && target.startsWith("/")) {
    const at = head.find(FIELD.host);
    const usual = method === "GET" || method === "HEAD";
    if (usual && at >= 0 && head.find(FIELD.host, at + 1) < 0 && head.value(at) === knownHost) {
      return { path: target, host: knownHost };
    }
  }
  return admit({ method, target, fields: fieldsOf(head), httpVersion: `1.${head.minor}` }, limits);
}

/** The fields as pairs, for what is not on the path of a plain request. */
export function fieldsOf(head: Head): Field[] {
  const fields: Field[] = [];
  for (let i = 0; i < head.count; i++) fields.push([head.name(i), head.value(i)]);
  return fields;
}
