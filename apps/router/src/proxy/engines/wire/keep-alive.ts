import { FIELD } from "./field-kind.ts";
import type { Head } from "./head.ts";

/** Whether whoever sent this head keeps the connection after the message (RFC 9112 section 9.3). */
export function keepsAlive(head: Head): boolean {
  if (!head.has(FIELD.connection)) return head.minor === 1;
  let alive = head.minor === 1;
  for (let i = head.find(FIELD.connection); i >= 0; i = head.find(FIELD.connection, i + 1)) {
    const value = head.value(i).toLowerCase();
    if (/(?:^|[\s,])close(?:$|[\s,])/.test(value)) return false;
    if (/(?:^|[\s,])keep-alive(?:$|[\s,])/.test(value)) alive = true;
  }
  return alive;
}
