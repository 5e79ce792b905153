/** An issuer of ID tokens on this machine: its documents over HTTPS, by an authority of its own. */
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { effects } from "../../agent/effects.ts";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";

type Key = Awaited<ReturnType<typeof generateKeyPair>> & { kid: string; alg: string };

export async function makeKey(alg: string, kid: string): Promise<Key> {
  return { ...(await generateKeyPair(alg, { extractable: true })), kid, alg };
}

export class Issuer {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  keys: readonly Key[];
  /** While it is true, nothing is answered, and connections stay open. */
  hangs = false;
  asked = 0;
  private readonly server: Server;

  private constructor(server: Server, ca: string, key: Key) {
    this.server = server;
    this.ca = ca;
    this.keys = [key];
    this.url = `https://localhost:${(server.address() as AddressInfo).port}`;
    server.on("request", async ({ url }, response) => {
      this.asked++;
      if (this.hangs) return;
      response.setHeader("content-type", "application/json");
      if (url === "/keys") return response.end(JSON.stringify({ keys: await this.published() }));
      response.end(JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` }));
    });
  }

  static async start(key: Key): Promise<Issuer> {
    const authority = await createAuthority("issuer-ca", effects.now());
    const made = await issueServer(authority, "localhost", { dns: ["localhost"], ip: ["127.0.0.1"] }, effects.now());
    const server = createServer({ key: made.key, cert: made.certificate });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Issuer(server, authority.certificate, key);
  }

  private published() {
    return Promise.all(
      this.keys.map(async ({ publicKey, kid, alg }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: "sig" })),
    );
  }

  sign({ privateKey, kid, alg }: Pick<Key, "privateKey" | "kid" | "alg">, claims: object = {}): Promise<string> {
    const now = Math.floor(effects.now() / 1000);
    const all = { iss: this.url, aud: "skerry", sub: "jane", iat: now, exp: now + 300, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg, kid }).sign(privateKey);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
