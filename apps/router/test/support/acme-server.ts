import { randomBytes, type webcrypto } from "node:crypto";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as x509 from "@peculiar/x509";
import { calculateJwkThumbprint, flattenedVerify, importJWK, type JWK } from "jose";
import type { TestAuthority } from "./certificates.ts";

const SUBJECT_ALTERNATIVES = "2.5.29.17";

interface Order {
  readonly domain: string;
  readonly token: string;
  readonly account: JWK;
  status: "pending" | "ready" | "valid" | "invalid";
  error?: string;
  certificate?: string;
}

interface Signed {
  readonly payload: Record<string, unknown> | undefined;
  readonly jwk: JWK;
  readonly kid: string | undefined;
}

/** A refusal as RFC 8555 section 6.7 has it. */
class Refusal extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, detail: string, status = 403) {
    super(detail);
    this.type = type;
    this.status = status;
  }
}

/**
 * The smallest authority of RFC 8555 that checks what it is told: signatures and nonces of every request, the agreement to
 * the terms, that the host answers with the right proof over HTTP, and that the CSR is signed and for that host alone.
 */
export class AcmeServer {
  url = "";
  /** How many certificates it has issued, and what it refused. */
  issued = 0;
  readonly refusals: string[] = [];
  /** Contact of each account. */
  readonly contacts: unknown[] = [];
  /** Every order fails from now on. */
  broken: string | undefined;
  /** Milliseconds for which a certificate is valid. */
  life = 90 * 24 * 3_600_000;
  /** When certificates begin to be valid. */
  now = () => Date.now();
  readonly #authority: TestAuthority;
  readonly #port: () => number;
  readonly #nonces = new Set<string>();
  readonly #accounts = new Map<string, JWK>();
  readonly #orders: Order[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** @param port where every host's port 80 is in this test */
  constructor(authority: TestAuthority, port: () => number) {
    this.#authority = authority;
    this.#port = port;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  get directory(): string {
    return `${this.url}/directory`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("Replay-Nonce", this.#nonce());
    response.setHeader("Cache-Control", "no-store");
    try {
      await this.#route(request, response);
    } catch (error) {
      const { type = "serverInternal", status = 500, message } = error as Refusal;
      this.refusals.push(message);
      response.writeHead(status, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: message, status }));
    }
  }

  #nonce(): string {
    const nonce = randomBytes(16).toString("base64url");
    this.#nonces.add(nonce);
    return nonce;
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    if (path === "/directory") return this.#json(response, 200, this.#directory());
    if (path === "/nonce") return void response.writeHead(request.method === "HEAD" ? 200 : 204).end();
    const signed = await this.#verify(request);
    if (path === "/account") return this.#account(signed, response);
    if (path === "/order") return this.#newOrder(signed, response);
    const [, kind = "", id = ""] = path.split("/");
    if (kind === "account" && signed.kid?.endsWith(path))
      return this.#json(response, 200, { status: "valid" });
    const order = this.#orders[Number(id)];
    if (!order || order.account !== signed.jwk) throw new Refusal("malformed", "no such order", 404);
    if (kind === "order") return this.#showOrder(order, response);
    if (kind === "authorization") return this.#showAuthorization(order, response);
    if (kind === "challenge") return await this.#challenge(order, response);
    if (kind === "finalize") return await this.#finalize(order, signed, response);
    if (kind === "certificate" && order.certificate)
      return void response
        .writeHead(200, { "Content-Type": "application/pem-certificate-chain" })
        .end(order.certificate);
    throw new Refusal("malformed", `nothing is at ${path}`, 404);
  }

  #directory() {
    const at = (path: string) => `${this.url}/${path}`;
    return {
      newNonce: at("nonce"),
      newAccount: at("account"),
      newOrder: at("order"),
      revokeCert: at("revoke"),
      keyChange: at("key-change"),
      meta: { termsOfService: at("terms") },
    };
  }

  /** RFC 8555 section 6.2: the signature, the nonce, and that it was meant for this URL. */
  async #verify(request: IncomingMessage): Promise<Signed> {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.headers["content-type"] !== "application/jose+json")
      throw new Refusal("malformed", "not application/jose+json", 415);
    const jws = JSON.parse(body);
    const header = JSON.parse(Buffer.from(jws.protected, "base64url").toString());
    if (header.url !== `${this.url}${request.url}`)
      throw new Refusal("unauthorized", "signed for another URL", 401);
    if (!this.#nonces.delete(header.nonce))
      throw new Refusal("badNonce", "the nonce is used up or unknown", 400);
    const jwk: JWK | undefined = header.jwk ?? this.#accounts.get(header.kid);
    if (!jwk) throw new Refusal("accountDoesNotExist", "no such account", 400);
    const { payload } = await flattenedVerify(jws, await importJWK(jwk, header.alg)).catch(() => {
      throw new Refusal("malformed", "the signature is not valid", 400);
    });
    const text = Buffer.from(payload).toString();
    return { payload: text === "" ? undefined : JSON.parse(text), jwk, kid: header.kid };
  }

  async #account({ payload, jwk }: Signed, response: ServerResponse): Promise<void> {
    const kid = `${this.url}/account/${await calculateJwkThumbprint(jwk)}`;
    const known = this.#accounts.has(kid);
    if (!known && payload?.termsOfServiceAgreed !== true)
      throw new Refusal("userActionRequired", "the terms of service were not agreed to");
    if (!known) {
      this.#accounts.set(kid, jwk);
      this.contacts.push(payload?.contact);
    }
    response.setHeader("Location", kid);
    this.#json(response, known ? 200 : 201, { status: "valid" });
  }

  #newOrder({ payload, jwk, kid }: Signed, response: ServerResponse): void {
    if (kid === undefined) throw new Refusal("malformed", "an order needs an account", 400);
    if (this.broken !== undefined) throw new Refusal("rateLimited", this.broken, 403);
    const [identifier, ...more] = (payload?.identifiers ?? []) as { type: string; value: string }[];
    if (identifier?.type !== "dns" || more.length > 0)
      throw new Refusal("malformed", "one host, please", 400);
    const token = randomBytes(24).toString("base64url");
    this.#orders.push({ domain: identifier.value, token, account: jwk, status: "pending" });
    this.#showOrder(this.#orders.at(-1)!, response, 201);
  }

  #showOrder(order: Order, response: ServerResponse, status = 200): void {
    const id = this.#orders.indexOf(order);
    response.setHeader("Location", `${this.url}/order/${id}`);
    this.#json(response, status, {
      status: order.status,
      identifiers: [{ type: "dns", value: order.domain }],
      authorizations: [`${this.url}/authorization/${id}`],
      finalize: `${this.url}/finalize/${id}`,
      ...(order.certificate ? { certificate: `${this.url}/certificate/${id}` } : {}),
    });
  }

  #showAuthorization(order: Order, response: ServerResponse): void {
    const status = order.status === "ready" ? "valid" : order.status;
    const dns = { type: "dns-01", url: `${this.url}/challenge/0`, token: "x", status: "pending" };
    const challenges = [dns, this.#challengeOf(order)];
    this.#json(response, 200, { status, identifier: { type: "dns", value: order.domain }, challenges });
  }

  #challengeOf(order: Order) {
    const status = order.status === "pending" || order.status === "invalid" ? order.status : "valid";
    const url = `${this.url}/challenge/${this.#orders.indexOf(order)}`;
    const error = order.error
      ? { error: { type: "urn:ietf:params:acme:error:unauthorized", detail: order.error } }
      : {};
    return { type: "http-01", url, token: order.token, status, ...error };
  }

  /** RFC 8555 section 8.3: asks the host itself. */
  async #challenge(order: Order, response: ServerResponse): Promise<void> {
    const expected = `${order.token}.${await calculateJwkThumbprint(order.account)}`;
    const found = await this.#ask(order).catch((error: Error) => `nothing: ${error.message}`);
    order.status = found === expected ? "ready" : "invalid";
    if (found !== expected) order.error = `the host's proof is ${JSON.stringify(found.slice(0, 80))}`;
    this.#json(response, 200, this.#challengeOf(order));
  }

  #ask({ domain, token }: Order): Promise<string> {
    return new Promise((resolve, reject) => {
      const path = `/.well-known/acme-challenge/${token}`;
      const where = { host: "127.0.0.1", port: this.#port(), path, headers: { Host: domain }, agent: false };
      const request = get(where, async (answer) => {
        let body = "";
        for await (const chunk of answer) body += chunk;
        resolve(answer.statusCode === 200 ? body : `${answer.statusCode} ${body}`);
      });
      request.on("error", reject);
    });
  }

  async #finalize(order: Order, { payload }: Signed, response: ServerResponse): Promise<void> {
    if (order.status !== "ready") throw new Refusal("orderNotReady", "the host has not proved anything");
    const csr = new x509.Pkcs10CertificateRequest(Buffer.from(String(payload?.csr), "base64url"));
    if (!(await csr.verify())) throw new Refusal("badCSR", "the CSR's signature is not valid", 400);
    const found = csr.extensions.find(({ type }) => type === SUBJECT_ALTERNATIVES);
    const names = found ? new x509.SubjectAlternativeNameExtension(found.rawData).names.toJSON() : [];
    if (names.length !== 1 || names[0]?.value !== order.domain)
      throw new Refusal("badCSR", `the CSR is not for ${order.domain} alone`, 400);
    const key = (await csr.publicKey.export()) as webcrypto.CryptoKey;
    const from = new Date(this.now() - 60_000);
    const wanted = { names: [order.domain], from, to: new Date(from.getTime() + this.life) };
    order.certificate = (await this.#authority.certify(key, wanted)) + this.#authority.cert;
    order.status = "valid";
    this.issued++;
    this.#showOrder(order, response);
  }

  #json(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }
}
