/** What is sent of a span; whoever exports it knows how. */
export interface SpanData {
  readonly kind: "server" | "client";
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** `tracestate`. */
  readonly state: string | undefined;
  /** Trace flags. */
  readonly flags: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly start: number;
  readonly end: number;
  /** By the names of OpenTelemetry's semantic conventions; undefined values are left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Its status is an error. */
  readonly failed: boolean;
}

/** Takes finished spans, at once and whatever becomes of them. */
export interface SpanSink {
  add(span: SpanData): void;
}
