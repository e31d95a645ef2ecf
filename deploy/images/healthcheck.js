// What HEALTHCHECK runs in both images: asks HEALTHCHECK_URL and ends with 0 for an answer of 200 to 299, else with 1 and
// the reason in the container's health log. Plain http rather than fetch, which takes twice as long to load; an https URL is
// believed whatever it shows, since it is this container's own.
import { get as getPlain } from "node:http";

/** Shorter than the HEALTHCHECK's own time-out, so that the reason is ours. */
const TIMEOUT = 2000;
/** What Docker keeps of an output is 4096 bytes; the reason stands at the beginning. */
const MOST = 500;

const { HEALTHCHECK_URL: url = "" } = process.env;

function end(code, text) {
  process.stdout.write(`${text.slice(0, MOST)}\n`, () => process.exit(code));
}

if (!URL.canParse(url)) end(1, `HEALTHCHECK_URL is ${JSON.stringify(url)}: expected a URL.`);
else {
  const get = url.startsWith("https:") ? (await import("node:https")).get : getPlain;
  const options = { agent: false, timeout: TIMEOUT, rejectUnauthorized: false };
  const request = get(url, options, (answer) => {
    let body = "";
    answer.setEncoding("utf8");
    answer.on("data", (text) => {
      body += text;
    });
    answer.on("end", () => {
      const ok = answer.statusCode >= 200 && answer.statusCode < 300;
      end(ok ? 0 : 1, `${answer.statusCode} ${body}`);
    });
  });
  request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT / 1000} s`)));
  request.on("error", (error) => end(1, `${url}: ${error.message || error.code}`));
}
