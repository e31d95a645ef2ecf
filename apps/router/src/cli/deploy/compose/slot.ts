import { targetAddress } from "../../../core/target-address.ts";
import { CliError } from "../../errors.ts";
import type { Slot } from "../slot.ts";
import type { Version } from "../version.ts";
import { CONTAINER_PORT, type Compose, type ContainerFacts } from "./compose.ts";

/** `SLUICE_GREEN_IMAGE`: what compose.yaml reads the color's image from. */
export const imageVariable = (color: string): string =>
  `SLUICE_${color.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_IMAGE`;

/** A color whose versions are containers of one Compose service. */
export class ComposeSlot implements Slot {
  readonly color: string;
  readonly #compose: Compose;
  readonly #service: string;
  #id: string | undefined;

  /** @param service pattern, where `{color}` stands for the color */
  constructor(compose: Compose, color: string, service: string) {
    this.color = color;
    this.#compose = compose;
    this.#service = service.replaceAll("{color}", color);
  }

  /** Where the router, in the same network, finds it. */
  get target(): string {
    return `http://${this.#service}:${CONTAINER_PORT}`;
  }

  async running(): Promise<Version | undefined> {
    const container = await this.#container();
    if (container?.status !== "running") return undefined;
    const image = await this.#compose.image(container.image);
    const { version = null, digest = null } = image ?? {};
    return {
      kind: "image",
      ref: container.ref,
      image_id: container.image,
      version,
      digest,
      targets: [this.target],
    };
  }

  async clear(): Promise<void> {
    if (await this.#container()) await this.#compose.run(["rm", "--stop", "--force", this.#service]);
  }

  async stop(): Promise<void> {
    await this.#compose.run(["stop", this.#service]);
  }

  /** The container that was stopped, if it is still there: it is exactly what ran before. Else a new one. */
  async start(version: Version, signal: AbortSignal): Promise<void> {
    const old = await this.#container();
    if (old && old.image === version.image_id) {
      await this.#compose.run(["start", this.#service], {}, signal);
      return;
    }
    // removed before it is made anew: docker-compose 1.29 cannot recreate containers on newer engines
    if (old) await this.clear();
    const ref = await this.#refOf(version);
    await this.#compose.run(
      ["up", "--detach", "--no-deps", "--no-build", this.#service],
      this.#env(ref),
      signal,
    );
    const made = await this.#container();
    if (made?.image === version.image_id || version.image_id === undefined) return;
    throw new CliError(
      `Compose started ${this.#service} with another image than ${ref}; expected its image in ${this.#compose.file} to be \${${imageVariable(this.color)}}.`,
    );
  }

  async endpoints([target]: readonly string[]): Promise<readonly string[]> {
    const [bound] = (await this.#container())?.published ?? [];
    const { protocol } = targetAddress(target ?? this.target);
    if (bound) return [`${protocol}://${bound.host.includes(":") ? "[::1]" : "127.0.0.1"}:${bound.port}`];
    throw new CliError(
      `${this.#service} publishes no port ${CONTAINER_PORT} on this machine; expected \`ports: ["127.0.0.1::${CONTAINER_PORT}"]\` in ${this.#compose.file}.`,
    );
  }

  async sound(): Promise<boolean> {
    const container = await this.#container();
    if (!container) throw new CliError(`there is no container of ${this.#service} any more.`);
    const { status, exitCode, restarts, health } = container;
    if (restarts > 0 || status === "restarting" || status === "exited" || status === "dead") {
      const how =
        restarts > 0 && exitCode === 0
          ? `Docker has started it again ${restarts} times`
          : `exit code ${exitCode}`;
      throw new CliError(`the container of ${this.#service} ended while it was starting (${how}).`);
    }
    if (health === "unhealthy")
      throw new CliError(`Docker calls the container of ${this.#service} unhealthy.`);
    return status === "running" && (health === undefined || health === "healthy");
  }

  async lastLines(count: number): Promise<readonly string[]> {
    try {
      const container = await this.#container();
      return container ? await this.#compose.logs(container.id, count) : [];
    } catch {
      return [];
    }
  }

  /** Compose is asked only for a container that is not known yet: it takes much longer than the engine. */
  async #container(): Promise<ContainerFacts | undefined> {
    const known = this.#id === undefined ? undefined : await this.#compose.container(this.#id);
    if (known) return known;
    this.#id = await this.#compose.find(this.#service);
    return this.#id === undefined ? undefined : this.#compose.container(this.#id);
  }

  #env(ref: string): NodeJS.ProcessEnv {
    return { [imageVariable(this.color)]: ref };
  }

  /** The reference while it still means the same image, else the image's ID: tags move. */
  async #refOf({ ref, image_id }: Version): Promise<string> {
    if (image_id === undefined) return ref;
    const now = await this.#compose.image(ref);
    if (now?.id === image_id) return ref;
    if (await this.#compose.image(image_id)) return image_id;
    throw new CliError(`the image ${ref} (${image_id}) is not on this machine any more.`);
  }
}
