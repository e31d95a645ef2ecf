import { createServer } from "node:net";
import { describe, test } from "vitest";
import { type Answer, admin, problem } from "../../test/support/fake-admin.ts";
import { expectRefusal, sluice, sluiceHere } from "../../test/support/sluice-command.ts";
import { refusedPort } from "../../test/support/upstream.ts";

describe("what goes wrong", () => {
  test("no router: one sentence that says how to start one", async () => {
    const url = `http://127.0.0.1:${await refusedPort()}`;
    const sentence = `no router answers at ${url} (connection refused). Is it running? Start it with \`npm start\` or \`sluice serve --config sluice.yaml\`.`;
    expectRefusal(await sluice(["status", "--admin", url]), 1, sentence);
    for (const verb of [["flip", "green"], ["health"], ["history"], ["rollout", "status"], ["rollback"]]) {
      expectRefusal(await sluiceHere([...verb, "--admin", url]), 1, sentence);
    }
  });

  test("a refusal is the problem document's detail", async () => {
    const { url } = await admin({ "POST /admin/weights": problem(400, "There is no color\n red.") });
    expectRefusal(await sluiceHere(["weights", "red=1", "--admin", url]), 1, "There is no color red.");
  });

  test("401 says how to give a token, or that this one is wrong", async () => {
    const { url } = await admin({ "GET /admin/state": problem(401, "A token is needed.") });
    expectRefusal(
      await sluiceHere(["status", "--admin", url]),
      1,
      /asks for a token: give it in SLUICE_ADMIN_TOKEN or/,
    );
    expectRefusal(
      await sluiceHere(["status", "--admin", url, "--token", "x"]),
      1,
      /does not accept this token/,
    );
  });

  test.each<[string, Answer]>([
    ["a page", { type: "text/html", body: "<h1>hello" }],
    ["a page's 404", { status: 404, type: "text/html", body: "nothing" }],
    ["a redirect", { status: 302, headers: { Location: "http://127.0.0.1:1/" }, body: "" }],
    ["broken JSON", { body: "{" }],
    ["other JSON", { body: { hello: 1 } }],
    ["a list", { body: [] }],
    ["a number", { body: "7" }],
    ["other JSON's 404", { status: 404, body: { error: "not found" } }],
    ["an answer that breaks off", { headers: { "Content-Length": "99" }, body: '{"history":[', isCut: true }],
  ])("another service on the port (%s) is recognised", async (_, answer) => {
    const { url } = await admin({
      "GET /admin/state": answer,
      "POST /admin/undo": answer,
      "GET /admin/history": answer,
      "GET /admin/rollouts": answer,
      "GET /admin/rollouts/current": answer,
      "POST /admin/rollouts/current/pause": answer,
      "GET /admin/shadow": answer,
      "GET /admin/shadow/worst": answer,
      "POST /admin/upgrade": answer,
    });
    const verbs = [
      "status",
      "undo",
      "history",
      "history --releases",
      "rollout status",
      "rollout status --json",
    ];
    const more = ["rollout pause", "rollout export --evidence", "shadow status", "shadow worst", "upgrade"];
    for (const verb of [...verbs, ...more]) {
      expectRefusal(
        await sluiceHere([...verb.split(" "), "--admin", url]),
        1,
        /is not a Sluice admin API \(.*\)\. Is --admin right\?\n$/,
      );
    }
  });

  test("a service that does not speak HTTP is recognised", async () => {
    const server = createServer((socket) => socket.end("220 mail ready\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expectRefusal(
      await sluiceHere(["status", "--admin", `127.0.0.1:${port}`]),
      1,
      /is not a Sluice admin API \(its answer is not HTTP\)/,
    );
    server.close();
  });
});
