/** Lines of several logs at once, each behind the name of whose it is. */
import { errorText } from "../../worker/lib/error-text.ts";
import { coloured, colourOf } from "./terminal.ts";

export type Source = { name: string; open(): Promise<AsyncIterable<Uint8Array>> };

export type LinePrinter = {
  line(name: string, text: string): void;
  /** Resolves when all of it was printed; `failed` hears of one that could not be read. */
  print(source: Source): Promise<void>;
};

export type LinePrinting = {
  write(text: string): void;
  failed(words: string): void;
  /** Of the names that are known now; a longer one stands out. */
  width: number;
};

export function linePrinter({ write, failed, width }: LinePrinting): LinePrinter {
  const places = new Map<string, number>();
  const line = (name: string, text: string) => {
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    write(`${coloured(colourOf(place), `${name.padEnd(width)} |`)} ${text}\n`);
  };
  return {
    line,
    async print({ name, open }) {
      try {
        for await (const text of linesOf(await open())) line(name, text);
      } catch (error) {
        failed(`${name}: ${errorText(error)}`);
      }
    },
  };
}

/** Whole lines of what comes in pieces, and what is left at its end. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest) yield rest;
}
