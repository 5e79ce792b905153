import type { Readable } from "node:stream";

export type Question = {
  method: string;
  /** With its query. */
  url: string;
};

/** One HTTP answer of the node. */
export type Answer = { status: number; headers: Readonly<Record<string, string>>; body: string | Readable };

const PLAIN = "text/plain; charset=utf-8";

export const text = (status: number, body: string, type = PLAIN): Answer => ({
  status,
  headers: { "content-type": type, ...(type === PLAIN && { "x-content-type-options": "nosniff" }) },
  body,
});

export const json = (value: unknown): Answer => text(200, JSON.stringify(value), "application/json");

/** As Go's router says it. */
export const notFound = (): Answer => text(404, "404 page not found\n");

/** The path that a URL means, without its query and unescaped; undefined where it means none. */
export function pathOf(url: string): string | undefined {
  try {
    return url.startsWith("/") ? decodeURIComponent(parsed(url).pathname) : undefined;
  } catch {
    return undefined;
  }
}

/** Throws for what is none. */
export const parsed = (url: string): URL => new URL(`http://node${url}`);
