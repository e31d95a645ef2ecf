import type { Report } from "../core/report.ts";
import type { TlsFacts } from "../tls/facts.ts";
import type { MetricType, Sample } from "./series.ts";

type Add = (type: MetricType, name: string, help: string, read: () => readonly Sample[]) => void;

/** Certificates and when they end, files that were read anew, orders, handshakes. */
export function addTls(facts: () => TlsFacts, workers: () => readonly Report[], add: Add): void {
  add(
    "gauge",
    "tls_certificate_not_after_timestamp_seconds",
    "When a certificate that clients are shown ends, in seconds since 1970.",
    () =>
      facts().certificates.map(({ name, file, notAfter }) => ({
        labels: { name, file },
        value: notAfter / 1000,
      })),
  );
  add("counter", "tls_reloads_total", "Certificate files that were read because they changed.", () =>
    results(facts().reloads),
  );
  add("counter", "acme_orders_total", "Certificates asked of an ACME authority.", () =>
    results(facts().orders ?? {}),
  );
  add("counter", "tls_redirects_total", "Plain requests that were sent to HTTPS.", () => [
    { labels: {}, value: facts().redirects },
  ]);
  add("counter", "worker_tls_handshakes_total", "TLS handshakes of a worker with clients.", () =>
    workers().flatMap(({ worker, handshakes }) =>
      Object.entries(handshakes ?? {}).map(([result, value]) => ({
        labels: { worker: String(worker), result },
        value,
      })),
    ),
  );
}

function results(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([result, value]) => ({ labels: { result }, value }));
}
