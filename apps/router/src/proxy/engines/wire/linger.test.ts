import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { testPlane } from "../../../../test/support/plane.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine-parts.ts";
import { Head } from "./head.ts";
import { Timers } from "./timers.ts";

/** A socket whose last bytes are on their way until the test says that they have arrived. */
class SlowSocket extends EventEmitter {
  remoteAddress = "127.0.0.1";
  writable = true;
  writableNeedDrain = false;
  destroyed = false;
  written = "";
  arrived: () => void = () => {};

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  end(finished: () => void): void {
    this.writable = false;
    this.arrived = finished;
  }

  destroy(): void {
    this.destroyed = true;
  }

  destroySoon(): void {
    this.once("finish", () => this.destroy());
  }

  resume(): void {}
  pause(): void {}
  isPaused(): boolean {
    return false;
  }
}

function refusedClient() {
  let now = 0;
  const { plane } = testPlane({ blue: { weight: 1, targets: [] } }, { now: () => now });
  const timers = new Timers(plane.config.timeouts, plane.now);
  timers.stop(); // the test looks itself
  const closed: ClientConnection[] = [];
  const parts = { plane, timers, requestHead: new Head(), date: () => "", draining: false };
  const engine = { ...parts, closed: (each: ClientConnection) => closed.push(each) };
  const socket = new SlowSocket();
  new ClientConnection(engine as unknown as Engine, socket as unknown as Socket);
  socket.emit("data", Buffer.from("no HTTP\r\n\r\n"));
  const pass = (milliseconds: number) => {
    now += milliseconds;
    timers.expire(now);
  };
  return { socket, pass, closed, timeouts: plane.config.timeouts };
}

// The two seconds began before the answer was out, so who read slowly lost its end.
it("lets a client take its last answer, and then lingers for two seconds", () => {
  const { socket, pass, closed } = refusedClient();
  expect(socket.written).toMatch(/^HTTP\/1\.1 400 /);
  pass(10_000);
  expect(socket.destroyed).toBe(false);
  socket.arrived();
  pass(1999);
  expect(socket.destroyed).toBe(false);
  pass(1);
  expect(socket.destroyed).toBe(true);
  expect(closed).toHaveLength(1);
});

it("gives up on a client that does not take its last answer", () => {
  const { socket, pass, timeouts } = refusedClient();
  pass(timeouts.stream_idle);
  expect(socket.destroyed).toBe(true);
});

it("does not take the rest of the answer from a client that closes its half meanwhile", () => {
  const { socket } = refusedClient();
  socket.emit("end");
  expect(socket.destroyed).toBe(false);
  socket.emit("finish");
  expect(socket.destroyed).toBe(true);
});
