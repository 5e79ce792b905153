/** Small documents of others: what an issuer of ID tokens says of itself. */
import { deadline } from "./effects.ts";
import { inTime } from "./outside.ts";

const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** The text. Rejects when it does not come in time, or is too long, or is no success. */
export async function readDocument(way: Fetcher | undefined, url: string, timeoutMs: number): Promise<string> {
  const { signal, end } = deadline(timeoutMs);
  try {
    const init = { headers: { accept: "application/json" }, signal };
    const answer = await inTime(way ? way.fetch(url, init) : fetch(url, init), signal);
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
    if (Number(answer.headers.get("content-length") ?? 0) > MAX_DOCUMENT_BYTES) throw new Error(`${url} is too long`);
    const text = await inTime(answer.text(), signal);
    if (text.length > MAX_DOCUMENT_BYTES) throw new Error(`${url} is too long`);
    return text;
  } finally {
    end();
  }
}
