import { concat } from "./bytes.ts";

/** A request's body, read no further than the bound. Throws what `tooMuch` makes where there is more. */
export async function boundedBody(
  request: Request,
  mostBytes: number,
  tooMuch: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) throw tooMuch();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > mostBytes) throw tooMuch();
    chunks.push(chunk);
  }
  return concat(chunks);
}
