import { type AdminClient, RefusedError } from "../admin-client.ts";
import { CliError } from "../errors.ts";
import { BATCH, postFeedback } from "./post.ts";
import { type BadLine, type Line, readFeedback } from "./read.ts";

/** Characters of one call's items; a call has at most 256 KiB. */
const LARGEST = 200_000;

export interface Summary {
  readonly items: number;
  readonly accepted: number;
  readonly repeated: number;
  readonly unknown: number;
  /** Lines that are no feedback, or that do not fit their request. */
  readonly refused: number;
  /** False: the router's disk does not take it now. */
  readonly saved: boolean;
}

export interface SendOptions {
  readonly path: string;
  readonly admin: AdminClient;
  readonly onRefused: (line: BadLine) => void;
  /** Called after each call, with how many items were taken by then. */
  readonly onProgress: (items: number) => void;
}

/** Posts a file's lines, some hundred at a time; those that are refused are left out. @throws CliError */
export async function sendFeedback({ path, admin, onRefused, onProgress }: SendOptions): Promise<Summary> {
  let summary: Summary = { items: 0, accepted: 0, repeated: 0, unknown: 0, refused: 0, saved: true };
  const refuse = (line: BadLine) => {
    summary = { ...summary, refused: summary.refused + 1 };
    onRefused(line);
  };
  let batch: Line[] = [];
  let size = 0;
  const post = async () => {
    const { items, ...posted } = await postFitting(admin, batch, refuse).catch((error: Error) => {
      if (summary.items === 0) throw error;
      const taken = `${summary.items} items were taken before, which may be sent again.`;
      throw new CliError(`${error.message} ${taken}`);
    });
    [batch, size] = [[], 0];
    summary = {
      ...summary,
      items: summary.items + items,
      accepted: summary.accepted + posted.accepted,
      repeated: summary.repeated + posted.repeated,
      unknown: summary.unknown + posted.unknown,
      saved: summary.saved && posted.saved !== false,
    };
    onProgress(summary.items);
  };
  for await (const line of readFeedback(path)) {
    if ("why" in line) refuse(line);
    else {
      const length = JSON.stringify(line.item).length;
      if (batch.length === BATCH || (batch.length > 0 && size + length > LARGEST)) await post();
      batch.push(line);
      size += length;
    }
  }
  if (batch.length > 0) await post();
  return summary;
}

/** The router takes all or none, and names what does not fit by index: the rest goes again. */
async function postFitting(admin: AdminClient, batch: readonly Line[], refuse: (line: BadLine) => void) {
  let lines = batch;
  while (lines.length > 0) {
    try {
      const posted = await postFeedback(
        admin,
        lines.map(({ item }) => item),
      );
      return { items: lines.length, ...posted };
    } catch (error) {
      const named =
        error instanceof RefusedError && error.status === 400 ? namedIn(error.message) : new Map();
      if (named.size === 0) throw error;
      for (const [i, why] of named) if (lines[i]) refuse({ number: lines[i].number, why });
      lines = lines.filter((_, i) => !named.has(i));
    }
  }
  return { items: 0, accepted: 0, repeated: 0, unknown: 0 };
}

/** `feedback[3].actual is "x"; expected a number; feedback[7] … . Nothing was taken.` by index. */
function namedIn(message: string): Map<number, string> {
  const problems = message
    .replace(/(; and \d+ more)?\. Nothing was taken\.$/, "")
    .split(/(?:^|; )(?=feedback\[\d+\])/);
  return new Map(
    problems.flatMap((problem) => {
      const match = /^feedback\[(\d+)\][. ]?(.*)$/.exec(problem);
      return match ? [[Number(match[1]), match[2]!] as const] : [];
    }),
  );
}
