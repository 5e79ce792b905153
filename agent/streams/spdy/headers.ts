/**
 * Header blocks of SPDY/3.1: name/value pairs, compressed with one zlib context for each direction of a connection.
 * https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/#TOC-2.6.10-Name-Value-Header-Block
 */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { ProtocolError } from "./frames.ts";

export type Headers = ReadonlyMap<string, string>;

/** Streams of Kubernetes have three short headers. */
const MAX_BLOCK_BYTES = 64 * 1024;

/** Words of the dictionary that stand there with their length, as names do in a block. */
const DICTIONARY_WORDS = [
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow",
  "authorization cache-control connection content-base content-encoding content-language content-length",
  "content-location content-md5 content-range content-type date etag expect expires from host if-match",
  "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma",
  "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade",
  "user-agent vary via warning www-authenticate method get status",
].flatMap((line) => line.split(" "));
const MORE_WORDS = ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"];

/** Then follow words without one. */
const DICTIONARY_TEXT = [
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505",
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized",
  "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable",
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,",
  "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
].join("");

export const DICTIONARY: Buffer = Buffer.concat([
  ...[...DICTIONARY_WORDS, ...MORE_WORDS].map(withLength),
  Buffer.from(DICTIONARY_TEXT),
]);

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function writePairs(headers: Headers): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(headers.size);
  return Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [withLength(name), withLength(value)])]);
}

/** Names are in lower case. Throws `ProtocolError`. */
export function readPairs(bytes: Buffer): Headers {
  let at = 0;
  const number = () => {
    if (at + 4 > bytes.length) throw new ProtocolError("a header block that ends early");
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const text = () => {
    const end = number() + at;
    if (end > bytes.length) throw new ProtocolError("a header block that ends early");
    const value = bytes.toString("utf8", at, end);
    at = end;
    return value;
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left--) {
    const name = text().toLowerCase();
    if (headers.has(name)) throw new ProtocolError(`header ${name} twice`);
    headers.set(name, text());
  }
  return headers;
}

/** Compresses blocks in the order in which they are sent. */
export class HeaderWriter {
  private readonly zlib = quiet(createDeflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH }));

  write(headers: Headers): Promise<Buffer> {
    return through(this.zlib, writePairs(headers));
  }

  close(): void {
    this.zlib.close();
  }
}

/** Decompresses blocks in the order in which they came. */
export class HeaderReader {
  private readonly zlib = quiet(createInflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH }));

  async read(block: Buffer): Promise<Headers> {
    return readPairs(await through(this.zlib, block));
  }

  close(): void {
    this.zlib.close();
  }
}

/** Its errors are told to who waits for a block; one that comes beside that ends nothing more. */
function quiet<Zlib extends Deflate | Inflate>(zlib: Zlib): Zlib {
  zlib.on("error", () => {});
  return zlib;
}

/** What one block becomes. The context stays; a call must wait for the one before. */
function through(zlib: Deflate | Inflate, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const onData = (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > MAX_BLOCK_BYTES) zlib.destroy();
    };
    const done = (error?: Error | null) => {
      zlib.off("data", onData).off("error", done);
      if (bytes > MAX_BLOCK_BYTES) reject(new ProtocolError("a header block that is too large"));
      else if (error) reject(new ProtocolError(error.message));
      else resolve(Buffer.concat(parts));
    };
    zlib.on("data", onData).on("error", done);
    zlib.write(block, done);
  });
}
