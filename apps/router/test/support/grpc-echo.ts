import {
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { KeyPair } from "../../src/tls/material.ts";

const asIs = (message: Buffer) => message;
const kind = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

/** One method of each kind; messages are bytes. */
const ECHO = {
  unary: kind("Unary", false, false),
  upload: kind("Upload", true, false),
  download: kind("Download", false, true),
  talk: kind("Talk", true, true),
};
const EchoClient = makeGenericClientConstructor(ECHO, "test.Echo");

export interface EchoService {
  unary?: handleUnaryCall<Buffer, Buffer>;
  upload?: handleClientStreamingCall<Buffer, Buffer>;
  download?: handleServerStreamingCall<Buffer, Buffer>;
  talk?: handleBidiStreamingCall<Buffer, Buffer>;
}

/** What a method does unless a test says otherwise. */
const DEFAULTS: Required<EchoService> = {
  unary: (call, answer) => answer(null, call.request),
  upload(call, answer) {
    const parts: Buffer[] = [];
    call.on("data", (part: Buffer) => parts.push(part));
    call.on("end", () => answer(null, Buffer.concat(parts)));
  },
  download(call) {
    for (const letter of call.request.toString()) call.write(Buffer.from(letter));
    call.end();
  },
  talk(call) {
    call.on("data", (message: Buffer) => call.write(message));
    call.on("end", () => call.end());
  },
};

export interface EchoTarget {
  /** As an `http` target. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  close(): void;
}

/** A gRPC server on a loopback port. @param pair its certificate; default: no TLS */
export async function grpcEcho(
  service: EchoService = {},
  options: ChannelOptions = {},
  pair?: KeyPair,
): Promise<EchoTarget> {
  const server = new Server(options);
  server.addService(ECHO, { ...DEFAULTS, ...service } as UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentialsOf(pair), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    url: `${pair ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    server,
    close: () => server.forceShutdown(),
  };
}

function credentialsOf(pair: KeyPair | undefined): ServerCredentials {
  if (pair === undefined) return ServerCredentials.createInsecure();
  const { cert, key } = pair;
  return ServerCredentials.createSsl(null, [
    { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) },
  ]);
}

export interface Ended {
  readonly value: Buffer | undefined;
  readonly error: ServiceError | null;
  readonly metadata: Metadata;
  readonly trailers: Metadata;
}

export interface EchoCalls {
  readonly client: Client;
  /** A unary call, with what came back whichever way it ended. */
  unary(message: string | Buffer, options?: { metadata?: Metadata; deadline?: number }): Promise<Ended>;
  // biome-ignore lint/suspicious/noExplicitAny: grpc-js makes the methods at run time
  readonly raw: any;
  close(): void;
}

/** A client of one connection. */
export function echoClient(
  port: number,
  options: ChannelOptions = {},
  channel: ChannelCredentials = credentials.createInsecure(),
): EchoCalls {
  const client = new EchoClient(`127.0.0.1:${port}`, channel, {
    "grpc.use_local_subchannel_pool": 1,
    ...options,
  });
  return {
    client,
    raw: client,
    unary(message, { metadata = new Metadata(), deadline = 20_000 } = {}) {
      return new Promise((resolve) => {
        let head = new Metadata();
        let trailers = new Metadata();
        const call = client.unary!(
          Buffer.from(message as string),
          metadata,
          { deadline: Date.now() + deadline },
          (error: ServiceError | null, value: Buffer) =>
            setImmediate(() => resolve({ value, error, metadata: head, trailers })),
        );
        call.on("metadata", (got: Metadata) => {
          head = got;
        });
        call.on("status", (status: { metadata: Metadata }) => {
          trailers = status.metadata;
        });
      });
    },
    close: () => client.close(),
  };
}
