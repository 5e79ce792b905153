/** Small documents of others: what an issuer of ID tokens says of itself. */
import { deadline } from "./effects.ts";
import { badRequest } from "./lib/status.ts";
import { inTime } from "./outside.ts";

/** As a binding has it. */
type Way = { fetch(url: string, init: RequestInit): Promise<Response> };

/** `authorization` is a header's value. */
type Sent = { form?: URLSearchParams; authorization?: string };

const MAX_DOCUMENT_BYTES = 1024 * 1024;

/**
 * The text, to a form where one is sent. Rejects when it does not come in time, or is too long, or is no success, as a form's
 * redirect is none: with a 400 where what the form says is refused for good.
 */
export async function readDocument(
  way: Way | undefined,
  url: string,
  timeoutMs: number,
  { form, authorization }: Sent = {},
): Promise<string> {
  const { signal, end } = deadline(timeoutMs);
  try {
    // What is sent is a secret of two, and no third is to have it.
    const sent: RequestInit | undefined = form && { method: "POST", body: form, redirect: "manual" };
    const headers = { accept: "application/json", ...(authorization && { authorization }) };
    const init: RequestInit = { ...sent, headers, signal };
    const answer = await inTime(way ? way.fetch(url, init) : fetch(url, init), signal);
    const { status } = answer;
    if (status !== 200) {
      const why = `${url} answered ${status}${form ? await said(answer, signal) : ""}`;
      throw form && status >= 400 && status < 500 && status !== 429 ? badRequest(why) : new Error(why);
    }
    if (Number(answer.headers.get("content-length") ?? 0) > MAX_DOCUMENT_BYTES) throw new Error(`${url} is too long`);
    const text = await inTime(answer.text(), signal);
    if (text.length > MAX_DOCUMENT_BYTES) throw new Error(`${url} is too long`);
    return text;
  } finally {
    end();
  }
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
async function said(answer: Response, signal: AbortSignal): Promise<string> {
  try {
    const { error, error_description: more } = JSON.parse(await inTime(answer.text(), signal)) as Record<
      string,
      unknown
    >;
    return `: ${String(more ?? error).slice(0, 200)}`;
  } catch {
    return "";
  }
}
