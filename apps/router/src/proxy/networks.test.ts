import { describe, expect, it } from "vitest";
import { clientAddress, networks, plainAddress } from "./networks.ts";

const trusted = networks(["10.0.0.0/8", "192.168.1.1", "fd00::/8"]);

describe("networks", () => {
  it.each([
    "10.0.0.0",
    "10.255.255.255",
    "192.168.1.1",
    "fd12::1",
    "::ffff:10.1.1.1",
    "::FFFF:10.1.1.1",
    "::ffff:a01:101",
    "0:0:0:0:0:ffff:10.1.1.1",
  ])("contain %s", (address) => expect(trusted(address)).toBe(true));

  it.each([
    "11.0.0.0",
    "192.168.1.2",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:11.0.0.1",
    "",
    "unknown",
    "10.0.0.1:80",
    "10.0.0",
    "10.0.0.0/8",
    "010.0.0.1",
  ])("do not contain %j", (address) => expect(trusted(address)).toBe(false));

  it("contain nothing where there are none", () => expect(networks([])("127.0.0.1")).toBe(false));
});

it("writes a mapped address as IPv4, and leaves others alone", () => {
  expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
  expect(plainAddress("::1")).toBe("::1");
  expect(plainAddress("127.0.0.1")).toBe("127.0.0.1");
});

describe("the client's own address", () => {
  it.each([
    ["203.0.113.5", undefined, "203.0.113.5"],
    ["203.0.113.5", "10.9.9.9", "203.0.113.5"], // an untrusted peer's word counts for nothing
    ["10.0.0.2", undefined, "10.0.0.2"],
    ["10.0.0.2", "203.0.113.5", "203.0.113.5"],
    ["::ffff:10.0.0.2", "203.0.113.5", "203.0.113.5"],
    ["10.0.0.2", "10.9.9.9, 203.0.113.5", "203.0.113.5"], // what the client made up stands to the left
    ["10.0.0.2", "1.1.1.1, 203.0.113.5, 10.0.0.3", "203.0.113.5"],
    ["10.0.0.2", "203.0.113.5,10.0.0.3 ,  10.0.0.4", "203.0.113.5"],
    ["10.0.0.2", "10.0.0.9, 10.0.0.3", "10.0.0.9"], // trusted all the way: the farthest
    ["10.0.0.2", "::ffff:203.0.113.5", "203.0.113.5"],
    ["10.0.0.2", "2001:db8::7", "2001:db8::7"],
    ["fd00::1", "2001:db8::7", "2001:db8::7"],
    ["10.0.0.2", "203.0.113.5:4711", "203.0.113.5"],
    ["10.0.0.2", "[2001:db8::7]:4711", "2001:db8::7"],
    ["10.0.0.2", "[2001:db8::7]", "2001:db8::7"],
    ["10.0.0.2", "203.0.113.5, 10.0.0.3:80", "203.0.113.5"],
  ])("behind %s with %j is %s", (peer, forwarded, client) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(client);
  });

  it.each([
    "",
    " ",
    ",",
    "unknown",
    "_hidden",
    "203.0.113.5,",
    "203.0.113.5, evil",
    "10.0.0.1/8",
    "010.0.0.1",
    "203.0.113.5:",
    "[::1",
  ])("is unknown, never the proxy's, where that proxy names no address: %j", (forwarded) => {
    expect(clientAddress("10.0.0.2", forwarded, trusted)).toBe("unknown");
    expect(trusted("unknown")).toBe(false);
  });
});
