import { once } from "node:events";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import { ComposeProject, endProjects, imageVariables } from "../support/compose-project.ts";
import { docker, type Inspected, inspect, killFromOutside, logs, untilContainer } from "../support/docker.ts";
import { predict, SteadyClient, TRIP } from "../support/trips.ts";

const SERVICES = ["router", "api-blue", "api-green"] as const;
const prefix = inject("imagePrefix");

let project: ComposeProject;

beforeAll(async () => {
  // Nothing but compose: what is not there is built, trained and made by `up` itself.
  project = new ComposeProject(imageVariables(`${prefix}plain/`));
  await project.compose("up", "--detach");
  for (const service of SERVICES) await project.healthy(service);
});
afterAll(endProjects);

interface State {
  readonly epoch: number;
  readonly colors: readonly {
    readonly name: string;
    readonly weight: number;
    readonly targets: readonly { readonly health: string; readonly detail?: string }[];
  }[];
}

interface UpAnswer {
  readonly data: { readonly result: readonly { readonly metric: { readonly instance: string } }[] };
}

interface Composed {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly volumes: readonly string[];
        readonly ports: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
      }
    >
  >;
}

async function state(): Promise<State> {
  return (await (await project.admin("GET", "/admin/state")).json()) as State;
}

/** Resolves once the router sees a color's only target like this. */
async function untilSeen(color: string, health: string): Promise<void> {
  const seen = async () =>
    (await state()).colors.find(({ name }) => name === color)!.targets.map((target) => target.health);
  while ((await seen()).join() !== health) await new Promise((resolve) => setTimeout(resolve, 200));
}

async function setWeights(weights: Record<string, number>): Promise<void> {
  expect((await project.admin("POST", "/admin/weights", weights)).status).toBe(200);
}

/** Runs JavaScript in a service's container. @returns what it prints; `exec` needs no shell in it. */
async function inside(service: string, code: string): Promise<string> {
  return docker("exec", await project.container(service), "node", "-e", code);
}

describe("compose up in a clean copy", () => {
  it("answers predictions through the router, from both colors", async () => {
    await setWeights({ blue: 50, green: 50 });
    const url = await project.url("router", 8080);
    const seen = new Map<string, string>();
    while (seen.size < 2) {
      const answer = await predict(url);
      expect(answer.status).toBe(200);
      seen.set(answer.color!, answer.version!);
    }
    expect(Object.fromEntries(seen)).toEqual({ blue: "1.0.0", green: "1.0.1" });
  });

  it("makes a token that only the folder's owner and the images can read, and keeps it", async () => {
    const file = join(project.folder, "deploy/compose/secrets/admin-token");
    const { mode, gid, uid } = statSync(file);
    expect([mode & 0o777, gid]).toEqual([0o640, 1000]);
    expect(uid).toBe(statSync(project.folder).uid);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o750);
    const token = await project.token();
    expect(token).toMatch(/^[\w-]{43}$/);
    await project.compose("up", "--detach");
    expect(await project.token()).toBe(token);
  });

  it("publishes the admin port on loopback only, and it wants the token", async () => {
    const { Ports } = (await project.inspect("router")).NetworkSettings;
    expect(Ports["9900/tcp"]!.map(({ HostIp }) => HostIp)).toEqual(["127.0.0.1"]);
    const url = new URL(await project.url("router", 9900));
    expect((await fetch(`${url}admin/state`)).status).toBe(401);
    expect((await project.admin("GET", "/admin/state")).status).toBe(200);
    const others = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const outside = others.find(({ family, internal }) => family === "IPv4" && !internal);
    if (outside) await expect(reach(outside.address, Number(url.port))).rejects.toThrow(/ECONNREFUSED/);
  });

  it("lets the network alone reach the metrics", async () => {
    const { Ports } = (await project.inspect("router")).NetworkSettings;
    expect(Ports["9901/tcp"] ?? null).toBeNull();
    const get = 'fetch("http://router:9901/metrics").then((r) => r.text()).then(console.log)';
    expect(await inside("api-blue", get)).toMatch(/^sluice_requests_total\{/m);
  });

  it("publishes each API on loopback only, for the checks of a deploy", async () => {
    const { Ports } = (await project.inspect("api-blue")).NetworkSettings;
    expect(Ports["8000/tcp"]!.map(({ HostIp }) => HostIp)).toEqual(["127.0.0.1"]);
    expect((await predict(await project.url("api-blue", 8000))).version).toBe("1.0.0");
  });

  it.each(SERVICES)("bounds and hardens %s", async (service) => {
    const { HostConfig, Config } = await project.inspect(service);
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    });
    expect(Config.User).toBe("node");
    for (const limit of [HostConfig.Memory, HostConfig.NanoCpus, HostConfig.PidsLimit])
      expect(limit).toBeGreaterThan(0);
    const write = 'try { fs.writeFileSync("/app/x", "") } catch (error) { console.log(error.code) }';
    expect(await inside(service, write)).toBe("EROFS");
  });
});

describe("the profile observability", () => {
  it("is scraped from inside the network: router and APIs", async () => {
    await project.compose("--profile", "observability", "up", "--detach", "prometheus");
    await project.healthy("prometheus");
    const { Ports } = (await project.inspect("prometheus")).NetworkSettings;
    expect(Ports["9090/tcp"]!.map(({ HostIp }) => HostIp)).toEqual(["127.0.0.1"]);
    const url = await project.url("prometheus", 9090);
    const up = async () => {
      const answer = (await (await fetch(`${url}/api/v1/query?query=up==1`)).json()) as UpAnswer;
      return answer.data.result.map(({ metric }) => metric.instance).sort();
    };
    const expected = ["api-blue:8000", "api-green:8000", "router:9901"];
    while ((await up()).join() !== expected.join()) await new Promise((resolve) => setTimeout(resolve, 500));
    await docker("rm", "--force", await project.container("prometheus"));
  });

  it("gives Grafana what is in this repository, and a password that was made", async () => {
    const definition = parse(await project.compose("--profile", "observability", "config")) as Composed;
    const { volumes, environment, ports } = definition.services.grafana!;
    const mounts = volumes.map((volume) => String(volume).split(":"));
    for (const [source, target] of mounts.filter(([from]) => from!.startsWith(project.folder))) {
      expect(statSync(source!).isDirectory(), target).toBe(true);
    }
    expect(mounts.map(([, target]) => target)).toContain("/var/lib/grafana/dashboards");
    expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)]);
    expect(environment.GF_SECURITY_ADMIN_PASSWORD__FILE).toBe("/run/secrets/grafana-password");
    const file = join(project.folder, "deploy/compose/secrets/grafana-password");
    expect(readFileSync(file, "utf8")).toMatch(/^[\w-]{43}\n$/);
  });
});

describe("the containers, on a bad day", () => {
  it("lose nothing when an API is killed, and it comes back by itself", async () => {
    await setWeights({ blue: 50, green: 50 });
    const client = new SteadyClient(await project.url("router", 8080));
    await client.more(3);
    const id = await project.container("api-blue");
    await killFromOutside(id);
    const { RestartCount } = await untilContainer(
      id,
      ({ RestartCount: count, State: { Running } }) => count > 0 && Running,
    );
    expect(RestartCount).toBe(1);
    await project.healthy("api-blue");
    await untilSeen("blue", "up");
    await client.more(3);
    expect(await client.stop()).toEqual([]);
  });

  it("lose nothing when an API is stopped under load, and it ends in good order", async () => {
    const client = new SteadyClient(await project.url("router", 8080));
    await client.more(3);
    const id = await project.container("api-green");
    await docker("stop", "--time", "60", id);
    const { State } = await inspect(id);
    expect(State).toMatchObject({ ExitCode: 0, OOMKilled: false });
    await client.more(3);
    expect(await client.stop()).toEqual([]);
    expect(await logs(id)).toMatch(/"ending":"drained"/);
  });

  it("find an API again that comes back with another address", async () => {
    const before = await project.inspect("api-green");
    const network = Object.keys(before.NetworkSettings.Networks)[0]!;
    const address = ({ NetworkSettings }: Inspected) => NetworkSettings.Networks[network]!.IPAddress;
    await docker("rm", "--force", before.Id);
    // Somebody else gets the free address first; compose's label lets `down` remove it, too.
    const label = ["--label", `com.docker.compose.project=${project.name}`];
    const idle = ["node:24-bookworm-slim", "node", "-e", "setInterval(() => {}, 1e6)"];
    const squatter = await docker("run", "--detach", "--init", "--network", network, ...label, ...idle);
    await project.compose("up", "--detach", "--no-deps", "api-green");
    const after = await project.healthy("api-green");
    expect(address(after)).not.toBe(address(before));
    await untilSeen("green", "up");
    await setWeights({ blue: 0, green: 100 });
    const answer = await predict(await project.url("router", 8080));
    expect(answer).toMatchObject({ status: 200, color: "green" });
    await docker("rm", "--force", squatter);
  });

  it("keep blue quick while green is stopped and its name is looked up in vain", async () => {
    await setWeights({ blue: 90, green: 10 });
    // A name server that never answers, as behind a firewall.
    const override = join(project.folder, "compose.override.yaml");
    writeFileSync(override, "services: { router: { dns: [192.0.2.1] } }\n");
    await project.compose("up", "--detach", "--no-deps", "router");
    await project.healthy("router");
    const url = await project.url("router", 8080);
    await docker("stop", await project.container("api-green"));
    await untilSeen("green", "down");
    const client = new SteadyClient(url, 250);
    await client.more(30); // three checks or more of a name that is not there
    expect(await client.stop()).toEqual([]);
    expect((await state()).colors.find(({ name }) => name === "blue")!.targets[0]!.health).toBe("up");
    expect(await logs(await project.container("router"))).not.toMatch(/api-blue:8000 is down/);
    rmSync(override);
  });
});

describe("the router", () => {
  it("finishes a request in flight when it is stopped, and exits 0 long before it would be killed", async () => {
    const url = new URL(await project.url("router", 8080));
    const body = JSON.stringify({ data: [TRIP] });
    const socket = connect(Number(url.port), url.hostname);
    const head = `POST /api/predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    socket.write(`${head}\r\n\r\n${body.slice(0, 20)}`);
    const id = await project.container("router");
    const inFlight = /sluice_requests_in_flight\{[^}]*\} [1-9]/;
    const metrics = 'fetch("http://127.0.0.1:9901/metrics").then((r) => r.text()).then(console.log)';
    while (!inFlight.test(await docker("exec", id, "node", "-e", metrics)));
    const stopped = docker("stop", "--time", "30", id);
    while (!(await logs(id)).includes("requests in flight are finished first"));
    socket.write(body.slice(20));
    let answer = "";
    for await (const chunk of socket.setEncoding("utf8")) answer += chunk;
    await stopped;
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*"fare_amount"/);
    const { State } = await inspect(id);
    expect(State).toMatchObject({ ExitCode: 0 });
    expect(await logs(id)).toMatch(/"msg":"Stopped\."/);
    await docker("start", id);
    await project.healthy("router");
  });

  it("comes back with the weights that it had, also after down and up", async () => {
    await project.compose("up", "--detach");
    await project.healthy("router");
    await setWeights({ blue: 37, green: 63 });
    const weights = async () => (await state()).colors.map(({ name, weight }) => [name, weight]);
    const expected = await weights();
    await project.compose("restart", "router");
    await project.healthy("router");
    expect(await weights()).toEqual(expected);
    await project.compose("down");
    await project.compose("up", "--detach");
    await project.healthy("router");
    expect(await weights()).toEqual(expected);
    expect(readFileSync(join(project.folder, "deploy/compose/secrets/admin-token"), "utf8").trim()).toBe(
      await project.token(),
    );
  });

  it("reads its configuration again on SIGHUP", async () => {
    const file = join(project.folder, "deploy/compose/router/sluice.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("interval: 2s", "interval: 1s"));
    const id = await project.container("router");
    await docker("kill", "--signal", "HUP", id);
    while (!(await logs(id)).includes("The configuration was read again"));
    expect((await inspect(id)).State.Running).toBe(true);
  });

  it("serves with the other color when one is broken at the start", async () => {
    for (const service of ["router", "api-green"])
      await docker("rm", "--force", await project.container(service));
    // .env decides what is deployed; this version never becomes healthy.
    const broken = `${prefix}broken:1.0.2`;
    await buildBroken(broken);
    const { SLUICE_GREEN_IMAGE: _, ...env } = project.env;
    Object.assign(project, { env });
    writeFileSync(join(project.folder, ".env"), `SLUICE_GREEN_IMAGE=${broken}\n`);
    await project.compose("up", "--detach");
    await project.healthy("router");
    expect((await project.inspect("api-green")).Config.Labels["com.docker.compose.project"]).toBe(
      project.name,
    );
    expect(await predict(await project.url("router", 8080))).toMatchObject({ status: 200, color: "blue" });
  });
});

async function buildBroken(name: string): Promise<void> {
  const file = join(project.folder, "broken.Dockerfile");
  writeFileSync(file, `FROM ${prefix}sluice-api:1.0.1\nENV MODEL_PATH=/nowhere\n`);
  await docker("build", "--quiet", "--file", file, "--tag", name, project.folder);
}

/** Resolves when a connection is made; rejects with why not. */
async function reach(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
