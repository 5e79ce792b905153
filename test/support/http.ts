import { get } from "node:http";
import { effects } from "../../agent/effects.ts";

/** One request on a connection of its own; the body, or a rejection for anything but 200. */
export function fetchText(url: string, timeoutMs = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
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

/** Constant load on some addresses until told to stop: `clients` on each, one request after another. */
export function startLoad(
  urls: readonly string[],
  clients: number,
): () => Promise<{ answers: string[]; errors: string[] }> {
  const answers: string[] = [];
  const errors: string[] = [];
  let stopping = false;
  const one = async (url: string) => {
    while (!stopping) {
      try {
        answers.push(await fetchText(url));
      } catch (error) {
        errors.push(`${url}: ${error instanceof Error ? error.message : error}`);
      }
      await effects.sleep(10);
    }
  };
  const running = urls.flatMap((url) => Array.from({ length: clients }, () => one(url)));
  return async () => {
    stopping = true;
    await Promise.all(running);
    return { answers, errors };
  };
}
