import { HttpProblem } from "./problems.ts";

/** The entity tag of a revision: a strong one (RFC 9110 section 8.8.3). */
export function revisionTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * What `If-Match` accepts (RFC 9110 section 13.1.1): `*`, or a list of tags, compared strongly. A bare number is taken as
 * its tag, because shells eat quotes. Undefined without the header.
 * @throws HttpProblem 400 neither of these
 */
export function ifMatch(header: string | undefined): ((revision: number) => boolean) | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const tags = header.split(",").map((tag) => tag.trim());
  if (!tags.every((tag) => /^(?:W\/)?"[\x21\x23-\x7e]*"$|^\d+$/.test(tag))) {
    throw new HttpProblem(400, 'If-Match is not an entity tag; expected a revision in quotes, such as "7".');
  }
  return (revision) => tags.includes(revisionTag(revision)) || tags.includes(String(revision));
}
