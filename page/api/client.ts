/** Requests to the cluster that the page was served by, in the name of who logged in. */

import { toBase64Url } from "./base64url.ts";

export type Cause = { reason?: string; message?: string; field?: string };

/** What the API refused, in its own words: a Kubernetes Status. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly Cause[];

  constructor(code: number, reason: string, message: string, causes: readonly Cause[] = []) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.causes = causes;
  }
}

export type Ask = {
  method?: string;
  /** Sent as it is when it is text, else as JSON. */
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
};

export class Client {
  /** What lies before `/api`: empty, or `/clusters/NAME`. */
  readonly base: string;
  /** How a token that ends is followed by the next. */
  renewal: { isDue(token: string): boolean; renew(token: string): Promise<string> } | undefined;
  #token: string;
  readonly #refused: (token: string, why?: string) => void;
  #renewing: Promise<void> | undefined;

  /** `refused` is called when the API no longer knows the token, or this is `why` it is not to be used any more. */
  constructor(base: string, token: string, refused: (token: string, why?: string) => void) {
    this.base = base;
    this.#token = token;
    this.#refused = refused;
  }

  /**
   * Has the next token, where this one ends soon. What keeps it from that is told by what is then refused; but it throws a
   * 401 where the login is over.
   */
  async ready(): Promise<void> {
    const { renewal } = this;
    if (!renewal?.isDue(this.#token)) return;
    this.#renewing ??= renewal
      .renew(this.#token)
      .then(
        (token) => {
          this.#token = token;
        },
        (why: unknown) => {
          if (!(why instanceof StatusError) || why.code >= 500 || why.code === 429) return; // it may answer later
          this.renewal = undefined;
          if (why.code !== 401) return;
          this.#refused(this.#token, why.message);
          throw why;
        },
      )
      .finally(() => {
        this.#renewing = undefined;
      });
    await this.#renewing;
  }

  /** Throws a StatusError for what is not a 2xx, a TypeError when nothing answers. */
  async fetch(path: string, { method, body, contentType, accept = "application/json", signal }: Ask = {}) {
    await this.ready();
    const token = this.#token;
    const headers: Record<string, string> = { accept, authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = contentType ?? "application/json";
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(this.base + path, { method, headers, body: text, signal, cache: "no-store" });
    if (answer.ok) return answer;
    const said = await answer.text();
    if (answer.status === 401 && isOwn(path)) this.#refused(token);
    throw statusOf(answer.status, said);
  }

  async json<T>(path: string, ask?: Ask): Promise<T> {
    return (await this.fetch(path, ask)).json();
  }

  /** Its binary messages are ArrayBuffers. */
  socket(path: string, protocol: string): WebSocket {
    const url = new URL(this.base + path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, [`${TOKEN_PROTOCOL}${toBase64Url(this.#token)}`, protocol]);
    socket.binaryType = "arraybuffer";
    return socket;
  }

  /**
   * The messages of a WebSocket as they come; ends with it. Of HTTP/1.1 a browser opens six connections at most, which
   * streams would use up. Throws when it does not open, for which a browser gives no reason.
   */
  async *messages(
    path: string,
    signal: AbortSignal,
    protocol: string,
    opened = () => {},
  ): AsyncGenerator<string, void, void> {
    await this.ready();
    if (signal.aborted) return;
    const socket = this.socket(path, protocol);
    const close = () => socket.close();
    signal.addEventListener("abort", close);
    try {
      yield* messagesOf(socket, opened);
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  }
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/ knows no other way for browsers' WebSockets. */
const TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

async function* messagesOf(socket: WebSocket, opened: () => void): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  const arrived: string[] = [];
  let isOpen = false;
  let isClosed = false;
  let wake = () => {};
  socket.onopen = () => {
    isOpen = true;
    opened();
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    arrived.push(typeof data === "string" ? data : decoder.decode(data, { stream: true }));
    wake();
  };
  socket.onclose = () => {
    isClosed = true;
    wake();
  };
  for (;;) {
    yield* arrived.splice(0);
    if (isClosed) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (!isOpen) throw new TypeError("the cluster cannot be reached, or refuses the connection");
}

/** Behind other groups a server of somebody else may answer, which knows other tokens. */
const isOwn = (path: string) => /^\/(?:api|apis\/(?:apps|batch|[\w.]+\.k8s\.io))\//.test(path);

type Said = { reason?: string; message?: string; details?: { causes?: Cause[] } };

export function statusOf(code: number, text: string): StatusError {
  try {
    const { reason, message, details } = JSON.parse(text) as Said;
    return new StatusError(code, reason ?? "", message ?? text, details?.causes);
  } catch {
    return new StatusError(code, "", text.slice(0, 500) || `code ${code}`);
  }
}
