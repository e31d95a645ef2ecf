import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";

type Answer = Parameters<LookupFunction>[2];

/**
 * Has at most one look-up of a host under way, and gives its answer to all who asked meanwhile. Node looks names up on
 * four threads; while a name server is silent, each look-up of one absent host takes one of them for up to ten
 * seconds, and four would hold up every other host's connections. Nothing is kept once it is answered, so a name that
 * moves to another address is found by the next connection.
 */
export function shareLookups(resolve: LookupFunction): LookupFunction {
  const waiting = new Map<string, Answer[]>();
  return (host, options, answer) => {
    const question = `${host} ${options.family} ${options.hints} ${options.all} ${options.order}`;
    const asked = waiting.get(question);
    if (asked) {
      asked.push(answer);
      return;
    }
    const answers = [answer];
    waiting.set(question, answers);
    resolve(host, options, (...said) => {
      waiting.delete(question);
      for (const give of answers) give(...said);
    });
  };
}

/** For every connection to a target: requests, tunnels and checks. */
export const sharedLookup = shareLookups(lookup as LookupFunction);
