import { get } from "node:http";
import { effects } from "../../agent/effects.ts";

/** One request on a connection of its own, for `host` where it is not the URL's; the body, or a rejection for anything but 200. */
export function fetchText(url: string, timeoutMs = 60_000, host?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const request = get(url, { agent: false, timeout: timeoutMs, headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`answered ${response.statusCode}`)),
      );
    });
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", reject);
  });
}

export type Load = { answers: string[]; errors: string[] };
/** `pauseMs`: between the requests of a client. */
export type LoadOptions = { host?: string; timeoutMs?: number; pauseMs?: number };

/** Constant load on some addresses until told to stop: `clients` on each, one request after another. */
export function startLoad(urls: readonly string[], clients: number, options: LoadOptions = {}): () => Promise<Load> {
  const answers: string[] = [];
  const errors: string[] = [];
  let stopping = false;
  const one = async (url: string) => {
    while (!stopping) {
      try {
        answers.push(await fetchText(url, options.timeoutMs, options.host));
      } catch (error) {
        errors.push(`${url}: ${error instanceof Error ? error.message : error}`);
      }
      await effects.sleep(options.pauseMs ?? 10);
    }
  };
  const running = urls.flatMap((url) => Array.from({ length: clients }, () => one(url)));
  return async () => {
    stopping = true;
    await Promise.all(running);
    return { answers, errors };
  };
}
