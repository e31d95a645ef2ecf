import { z } from "zod";
import { missingIn, type Shape, shapeOf } from "../../checks/shape.ts";
import { GateError } from "./ask.ts";
import { answerOf } from "./model.ts";
import { count, nothingToAsk, questions, readText, targetsOf, type Work } from "./work.ts";

/** Answers fulfill the configured schema, or have at least the shape of the stable color's. */
export async function schema(work: Work): Promise<string> {
  const { context, settings } = work;
  const targets = targetsOf(context, context.candidate.color);
  const fulfilled = settings.schema === undefined ? undefined : await readSchema(settings.schema);
  const wanted = fulfilled
    ? undefined
    : await shapeAt(work, targetsOf(context, context.stable.color)[0]!, targets[0]!);
  if (!fulfilled && wanted === undefined) {
    return nothingToAsk(settings);
  }
  for (const url of targets) {
    for (const answer of await answersOf(work, url, url)) {
      const fault = fulfilled ? schemaFault(fulfilled, answer) : missingIn(shapeOf(answer), wanted!);
      if (fault !== undefined) throw new GateError(`${url} answers in another shape: ${fault}`);
    }
  }
  return fulfilled
    ? `answers fulfill ${settings.schema} at ${count(targets)}`
    : `answers have the shape of ${context.stable.color}'s at ${count(targets)}`;
}

/** The merged shape of the answers of the stable color to the candidate's questions; undefined without questions. */
async function shapeAt(work: Work, stable: string, candidate: string): Promise<Shape | undefined> {
  const answers = await answersOf(work, stable, candidate);
  return answers.length === 0 ? undefined : shapeOf(answers).element;
}

/** Answers of a target to the questions that another one's golden rows give. */
async function answersOf(work: Work, url: string, asked: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const question of await questions(work, asked)) {
    answers.push(await answerOf(work.options.ask, url, question, work.signal));
  }
  return answers;
}

async function readSchema(path: string): Promise<z.ZodType> {
  const text = await readText(path, "gates.schema");
  try {
    return z.fromJSONSchema(JSON.parse(text));
  } catch (error) {
    throw new GateError(
      `gates.schema: ${path} is no JSON Schema (${(error as Error).message.split("\n")[0]})`,
    );
  }
}

function schemaFault(schema: z.ZodType, answer: unknown): string | undefined {
  const issue = schema.safeParse(answer).error?.issues[0];
  if (issue === undefined) return undefined;
  return `${issue.path.length > 0 ? `/${issue.path.join("/")}` : "the whole"}: ${issue.message}`;
}
