import { once } from "node:events";
import { type AddressInfo, connect, createServer, type LookupFunction } from "node:net";
import { expect, it } from "vitest";
import { sharedLookup, shareLookups } from "./shared-lookup.ts";

type Said = Parameters<Parameters<LookupFunction>[2]>;

/** A resolver that answers when it is told to. */
function slowResolver() {
  const asked: string[] = [];
  const pending: ((...said: Said) => void)[] = [];
  const resolve: LookupFunction = (host, _options, answer) => {
    asked.push(host);
    pending.push(answer);
  };
  return {
    asked,
    resolve,
    answer: (...said: Said) => pending.splice(0).forEach((give) => void give(...said)),
  };
}

it("asks once for a host, however many wait, and again once it was answered", () => {
  const { asked, resolve, answer } = slowResolver();
  const shared = shareLookups(resolve);
  const heard: Said[] = [];
  const hear = (...said: Said) => void heard.push(said);
  for (let i = 0; i < 50; i++) shared("green", {}, hear);
  expect(asked).toEqual(["green"]);
  answer(null, "10.0.0.2", 4);
  expect(heard).toEqual(Array(50).fill([null, "10.0.0.2", 4]));
  shared("green", {}, hear);
  expect(asked).toEqual(["green", "green"]);
});

it("gives a failure to all who waited", () => {
  const { resolve, answer } = slowResolver();
  const shared = shareLookups(resolve);
  const heard: unknown[] = [];
  for (let i = 0; i < 3; i++) shared("green", {}, (error) => void heard.push(error?.message));
  answer(new Error("EAI_AGAIN"), "");
  expect(heard).toEqual(["EAI_AGAIN", "EAI_AGAIN", "EAI_AGAIN"]);
});

it("keeps hosts, and questions of another kind, apart", () => {
  const { asked, resolve } = slowResolver();
  const shared = shareLookups(resolve);
  shared("green", { all: true }, () => {});
  shared("blue", { all: true }, () => {});
  shared("green", { all: false }, () => {});
  shared("green", { all: true, family: 4 }, () => {});
  expect(asked).toEqual(["green", "blue", "green", "green"]);
});

it("is what net.connect can use", async () => {
  const server = createServer((socket) => socket.end("hello")).listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: "localhost", port, lookup: sharedLookup });
  expect(String((await once(socket, "data"))[0])).toBe("hello");
  server.close();
});
