/**
 * A proxied HTTP request on a Relay's stream, between the edge and a node's agent. Text messages are JSON, binary ones
 * the bytes of a body. The edge sends `request` and the body, the agent `response` and the body; `end` ends a body.
 * Each side tells with `read` what it has taken, and neither has more than a window on its way, so that a slow reader
 * holds its writer back instead of filling memory. After a `response` of 101 both sides carry the messages of the
 * upgraded WebSocket, as they are.
 */
export type Headers = [name: string, value: string][];

export type ProxyMessage =
  | {
      type: "request";
      method: string;
      /** With its query. */
      path: string;
      headers: Headers;
      /** The URL's path down to `/proxy`, by which the client sees what is served at `/`. */
      prefix: string;
      hasBody: boolean;
      /** Neither pages nor redirects are to be made to lie under the prefix, and nothing is said of it. */
      asIs?: boolean;
      /** Offered subprotocols of a WebSocket to open; absent for a plain request. */
      upgrade?: string[];
    }
  | { type: "response"; status: number; headers: Headers }
  | { type: "end" }
  | { type: "read"; bytes: number }
  /** There is no answer, because the program could not be reached. */
  | { type: "unreachable"; message: string };

/** One request to a program, from the Cluster object itself. */
export type OwnRequest = { method: string; path: string; headers: Headers; body?: string; signal: AbortSignal };

/** Of a Relay's stream: why it ends where only one side of it has come, and what is said then of a node. */
export const OTHER_SIDE_DID_NOT_COME = "the other side did not come";
export const NODE_DID_NOT_COME = "the node did not come";

/**
 * What may be on its way, or wait for a slow reader in the Worker's memory. A round trip carries no more: 20 MB/s where one
 * takes 50 ms.
 */
export const WINDOW_BYTES = 1024 * 1024;

/** Headers that speak of one connection, not of the request: RFC 9110 §7.6.1. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What a sender may still send before it has to wait for `read`. */
export class Window {
  private unread = 0;
  private resume: (() => void) | undefined;

  /** Resolves when the next bytes may be sent. */
  sent(bytes: number): Promise<void> {
    this.unread += bytes;
    if (this.unread < WINDOW_BYTES) return Promise.resolve();
    return new Promise((resolve) => {
      this.resume = resolve;
    });
  }

  read(bytes: number): void {
    this.unread -= bytes;
    if (this.unread < WINDOW_BYTES) this.open();
  }

  /** Lets a waiting sender go on, also when the stream is over. */
  open(): void {
    this.resume?.();
    this.resume = undefined;
  }
}
