import type { X509Certificate } from "node:crypto";

/**
 * The host names that a certificate is for, in lower case: its DNS names, or its common name where it has none, as
 * before RFC 2818. Its first name is what messages call it by.
 */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const alternatives = [...(certificate.subjectAltName ?? "").matchAll(/(?:^|, )DNS:("?)([^",]*)\1/g)];
  const names = alternatives.map(([, , name]) => name!);
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  if (names.length === 0 && common !== undefined && certificate.subjectAltName === undefined)
    names.push(common);
  return names.map((name) => name.toLowerCase());
}
