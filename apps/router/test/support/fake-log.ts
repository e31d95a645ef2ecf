import type { Log } from "../../src/control/log.ts";

interface Line {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps what was logged. */
export class FakeLog implements Log {
  readonly lines: Line[] = [];
  readonly info = (fields: Line["fields"], message: string) =>
    void this.lines.push({ level: "info", message, fields });
  readonly warn = (fields: Line["fields"], message: string) =>
    void this.lines.push({ level: "warn", message, fields });
  readonly error = (fields: Line["fields"], message: string) =>
    void this.lines.push({ level: "error", message, fields });

  get text(): string {
    return this.lines.map(({ level, message }) => `${level}: ${message}`).join("\n");
  }
}
