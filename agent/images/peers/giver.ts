/** What this node gives to others of its cluster: blobs of its content store, to those that the registry has given a ticket. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { isTicketFor } from "../../../worker/lib/blob-tickets.ts";
import { type Answer, type Question, text } from "../../kubelet/answer.ts";
import type { ContentStore } from "../content.ts";

const BLOB = /^\/skerry\/blobs\/(sha256:[0-9a-f]{64})$/;
export const blobPath = (digest: string): string => `/skerry/blobs/${digest}`;

/** At once; who comes then has it from others. */
const MOST_GIVEN = 16;

export type GiverParts = {
  content: Pick<ContentStore, "find">;
  /** PEM of the cluster's CA; "" until the cluster has said. */
  authority(): string;
  now(): number;
};

export class BlobGiver {
  readonly #parts: GiverParts;
  #given = 0;

  constructor(parts: GiverParts) {
    this.#parts = parts;
  }

  /** Undefined for what is no blob's path. */
  async answer({ method, url }: Question, ticket = ""): Promise<Answer | undefined> {
    const [, digest] = BLOB.exec(url) ?? [];
    if (digest === undefined) return undefined;
    const { content, authority, now } = this.#parts;
    if (!(await isTicketFor(digest, ticket, { ca: authority(), now: now() }))) return text(401, "Unauthorized");
    if (method !== "GET" && method !== "HEAD") return text(405, "Method Not Allowed");
    const found = content.find(digest);
    if (!found) return text(404, "not here\n");
    if (this.#given >= MOST_GIVEN) return text(503, "busy\n");
    const headers = { "content-type": "application/octet-stream", "content-length": `${found.size}` };
    return { status: 200, headers, body: method === "HEAD" ? Readable.from([]) : this.#give(found.path) };
  }

  #give(path: string): Readable {
    this.#given += 1;
    const closed = () => {
      this.#given -= 1;
    };
    return createReadStream(path)
      .on("error", () => {}) // collected meanwhile: whoever reads it hears of it
      .once("close", closed);
  }
}
