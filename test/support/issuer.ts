/**
 * An issuer of ID tokens on this machine: its documents over HTTPS, by an authority of its own, and logins of public clients by
 * authorization code with PKCE, in the name of jane.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { effects } from "../../agent/effects.ts";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";

type Key = Awaited<ReturnType<typeof generateKeyPair>> & { kid: string; alg: string };

export async function makeKey(alg: string, kid: string): Promise<Key> {
  return { ...(await generateKeyPair(alg, { extractable: true })), kid, alg };
}

const isPublic = (form: URLSearchParams) => form.get("client_id") === "skerry";

export class Issuer {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  keys: readonly Key[];
  /** While it is true, nothing is answered, and connections stay open. */
  hangs = false;
  asked = 0;
  /** Without it no client has a token. */
  secret = "";
  /** Said in the ID tokens of new logins. */
  claims: object = {};
  /** How often a login has gone on by a refresh token. */
  renewed = 0;
  private readonly logins = new Map<string, URLSearchParams>();
  private readonly server: Server;

  private constructor(server: Server, ca: string, key: Key) {
    this.server = server;
    this.ca = ca;
    this.keys = [key];
    this.url = `https://localhost:${(server.address() as AddressInfo).port}`;
    server.on("request", async (request, response) => {
      const { url } = request;
      this.asked++;
      if (this.hangs) return;
      response.setHeader("content-type", "application/json");
      if (url === "/keys") return response.end(JSON.stringify({ keys: await this.published() }));
      if (url === "/token") {
        const form = new URLSearchParams(await textOf(request));
        const { authorization } = request.headers;
        const isClient = this.secret ? authorization === `Basic ${btoa(`skerry:${this.secret}`)}` : isPublic(form);
        const given = isClient ? await this.exchange(form) : { error: "invalid_client" };
        return response.writeHead("error" in given ? 400 : 200).end(JSON.stringify(given));
      }
      response.end(
        JSON.stringify({
          issuer: this.url,
          jwks_uri: `${this.url}/keys`,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          scopes_supported: ["openid", "offline_access"],
        }),
      );
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

  /** What jane's yes to a browser that came to `/authorize` leads it to. */
  authorize(url: string): string {
    const asked = new URL(url).searchParams;
    const code = `code-${this.logins.size}`;
    this.logins.set(code, asked);
    const back = new URL(asked.get("redirect_uri") ?? "");
    back.searchParams.set("code", code);
    back.searchParams.set("state", asked.get("state") ?? "");
    return back.href;
  }

  /** https://www.rfc-editor.org/rfc/rfc6749#section-5 */
  private async exchange(form: URLSearchParams): Promise<object> {
    const [key] = this.keys;
    if (!key) return { error: "server_error" };
    if (form.get("grant_type") === "refresh_token") {
      if (form.get("refresh_token") !== `again-${this.renewed}`) return { error: "invalid_grant" };
      this.renewed++;
      return { id_token: await this.sign(key), refresh_token: `again-${this.renewed}` };
    }
    const asked = this.logins.get(form.get("code") ?? "");
    this.logins.delete(form.get("code") ?? "");
    const proof = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (!asked || asked.get("code_challenge") !== proof || asked.get("redirect_uri") !== form.get("redirect_uri"))
      return { error: "invalid_grant", error_description: "no such code" };
    const claims = { ...this.claims, nonce: asked.get("nonce") };
    return { id_token: await this.sign(key, claims), refresh_token: `again-${this.renewed}` };
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
