import { describe, expect, it } from "vitest";
import { checkTargets } from "./allowed-targets.ts";

const names: Readonly<Record<string, string[]>> = {
  "api-blue": ["172.18.0.3"],
  "evil.example": ["93.184.216.34"],
  "rebound.example": ["10.0.0.5", "169.254.169.254"],
  "mapped.example": ["::ffff:169.254.169.254"],
};
const resolve = async (host: string) => names[host] ?? Promise.reject(new Error("ENOTFOUND"));
const check = (url: string, allowed: readonly string[] = []) => checkTargets([url], allowed, resolve);

describe("targets that a request may name", () => {
  it.each([
    ["http://127.0.0.1:8001", "http://127.0.0.1:8001"],
    ["HTTP://LOCALHOST.:80/", undefined],
    ["http://[::1]:8001/", "http://[::1]:8001"],
    ["http://10.1.2.3", "http://10.1.2.3"],
    ["http://192.168.0.9:80", "http://192.168.0.9"],
    ["http://[fd12::1]:1", "http://[fd12::1]:1"],
    ["http://api-blue:8000", "http://api-blue:8000"],
    ["http://2130706433:1", "http://127.0.0.1:1"],
    ["h2c://[fd12::1]:1", "h2c://[fd12::1]:1"],
    ["h2c://api-blue:8000", "h2c://api-blue:8000"],
  ])("are loopback and private ones unless told otherwise: %s", async (given, normal) => {
    if (normal === undefined) await expect(check(given)).rejects.toThrow(/has no address/);
    else expect(await check(given)).toEqual([normal]);
  });

  it.each([
    "http://8.8.8.8",
    "http://169.254.169.254",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "http://0.0.0.0:80",
    "http://[::ffff:a9fe:a9fe]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://0xa9fea9fe",
    "http://100.100.100.200",
    "http://evil.example",
    "h2c://evil.example:1",
    "h2c://[::ffff:a9fe:a9fe]:1",
    "h2c://2852039166:1",
    "http://rebound.example",
    "http://mapped.example",
  ])("are refused elsewhere: %s", async (url) => {
    await expect(check(url)).rejects.toMatchObject({
      code: "invalid_targets",
      message: expect.stringMatching(/not allowed/),
    });
  });

  it("are those of allowed_targets where it names any, and link-local ones never", async () => {
    expect(await check("http://8.8.8.8", ["8.8.8.0/24"])).toEqual(["http://8.8.8.8"]);
    await expect(check("http://127.0.0.1", ["8.8.8.0/24"])).rejects.toThrow(/not allowed/);
    for (const url of [
      "http://169.254.169.254",
      "http://[fe80::1]",
      "http://[64:ff9b::a9fe:a9fe]",
      "http://mapped.example",
    ])
      await expect(check(url, ["0.0.0.0/0", "::/0", "169.254.0.0/16"])).rejects.toThrow(/not allowed/);
  });

  it("are always those that the configuration file names for the color, also while they have no address", async () => {
    const own = ["http://stopped:8000"];
    expect(await checkTargets(["http://stopped:8000/"], [], resolve, own)).toEqual(["http://stopped:8000"]);
    await expect(checkTargets(["http://stopped:8001"], [], resolve, own)).rejects.toThrow(/has no address/);
    await expect(checkTargets(["http://8.8.8.8"], [], resolve, own)).rejects.toThrow(/not allowed/);
  });

  it("are refused when the name has no address, and say what the name leads to", async () => {
    await expect(check("http://nowhere.example")).rejects.toThrow(
      "The target http://nowhere.example is refused: the name nowhere.example has no address.",
    );
    await expect(check("http://rebound.example")).rejects.toThrow(/it resolves to 169\.254\.169\.254/);
  });
});
