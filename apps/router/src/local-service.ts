import type { Address, Config } from "./config/config.ts";
import { ENGINES } from "./engines.ts";
import { cannotListen } from "./http-server.ts";
import { LocalChannel } from "./local-channel.ts";
import type { Logger } from "./log.ts";
import { DataPlane } from "./proxy/data-plane.ts";
import type { Engine } from "./proxy/engine.ts";
import { randomSource } from "./proxy/random-source.ts";
import type { Inheritance, Service } from "./service.ts";
import type { TlsMaterial } from "./tls/material.ts";

/** The data plane in the control plane's own process. */
export class LocalService implements Service {
  readonly channel: LocalChannel;
  readonly #plane: DataPlane;
  readonly #socket: number | undefined;
  #engine: Engine | undefined;

  /** @param socket a listening socket that this process has. Default: it is opened */
  constructor(config: Config, log: Logger, socket?: number) {
    this.#socket = socket;
    this.#plane = new DataPlane({
      config,
      random: randomSource(0),
      accessLog: (line) => log.info(line, "request"),
    });
    this.channel = new LocalChannel(this.#plane);
  }

  get connections(): number {
    return this.#plane.connections;
  }

  async adopt(): Promise<void> {}

  async listen(): Promise<Address> {
    const { config } = this.#plane;
    const engine = ENGINES[config.engine](this.#plane);
    const where = this.#socket === undefined ? config.listen : { fd: this.#socket };
    const address = await engine.listen(where).catch((error: NodeJS.ErrnoException) => {
      throw cannotListen("listen", config.listen, error);
    });
    this.#engine = engine;
    return address;
  }

  unready(): string | undefined {
    return this.#engine ? undefined : "The router does not listen yet.";
  }

  equip(material: TlsMaterial): void {
    this.#plane.equip(material);
  }

  configure(config: Config): void {
    this.#plane.configure(config);
  }

  get inheritance(): Inheritance {
    return { socket: this.#engine?.fd, workers: undefined };
  }

  async give(): Promise<void> {}

  async takeBack(): Promise<void> {}

  settle(): void {}

  async drain(deadline: number, grace?: number): Promise<number> {
    const cut = (await this.#engine?.drain(deadline, grace)) ?? 0;
    this.#plane.observer.stop();
    await this.#plane.spans.close();
    this.channel.flush();
    return cut;
  }

  async end(): Promise<void> {}
}
