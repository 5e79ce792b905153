/** Programs that speak HTTP/2 in the clear with prior knowledge, as gRPC servers do. One connection an endpoint. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import type { Endpoint } from "../../worker/kinds/ingress/backends.ts";
import type { Timers } from "../effects.ts";
import { addressOf } from "./balancer.ts";
import { type Answer, type Ask, type Dialer, type Outgoing, Unreachable } from "./exchange.ts";
import type { Pairs } from "./headers.ts";
import { reasonOf } from "./http-dialer.ts";

const CONNECT_MS = 3_000;
const IDLE_MS = 60_000;

type HeaderObject = Record<string, string | string[]>;

/** Several of one name become a list. */
export function headerObject(headers: Pairs): HeaderObject {
  const byName = new Map<string, string | string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const known = byName.get(key);
    byName.set(key, known === undefined ? value : [known, value].flat());
  }
  return Object.fromEntries(byName);
}

export const headerPairs = (headers: IncomingHttpHeaders): Pairs =>
  Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(":") || value === undefined
      ? []
      : [value].flat().map((each): [string, string] => [name, String(each)]),
  );

export class H2Dialer implements Dialer {
  readonly #sessions = new Map<string, Promise<ClientHttp2Session>>();
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  async dial(endpoint: Endpoint, { method, url, headers, host, hasBody }: Ask): Promise<Outgoing> {
    const session = await this.#session(endpoint);
    const own = headerObject(headers.filter(([name]) => name.toLowerCase() !== "host"));
    const pseudo = { ":method": method, ":path": url, ":scheme": "http", ":authority": host };
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({ ...pseudo, ...own, te: "trailers" }, { endStream: !hasBody });
    } catch (error) {
      throw new Unreachable(reasonOf(error as Error));
    }
    const answer = answerOn(stream);
    answer.catch(() => {}); // it may fail before anyone asks for it
    return { body: stream, answer, destroy: () => stream.close(constants.NGHTTP2_CANCEL) };
  }

  #session(endpoint: Endpoint): Promise<ClientHttp2Session> {
    const key = addressOf(endpoint);
    const known = this.#sessions.get(key);
    if (known) return known;
    const session = connect(`http://${key}`);
    const forget = () => {
      if (this.#sessions.get(key) === opened) this.#sessions.delete(key);
    };
    const opened = new Promise<ClientHttp2Session>((resolve, reject) => {
      const fail = (error: Error) => {
        cancel();
        forget();
        reject(new Unreachable(reasonOf(error)));
      };
      const cancel = this.#timers.after(CONNECT_MS, () => session.destroy(new Error("no connection in 3 s")));
      session.once("connect", () => {
        cancel();
        resolve(session);
      });
      session.on("error", fail);
      session.once("close", () => fail(new Error("closed")));
      session.once("goaway", forget);
    });
    session.setTimeout(IDLE_MS, () => session.close());
    this.#sessions.set(key, opened);
    return opened;
  }

  retain(endpoints: ReadonlySet<string>): void {
    for (const [key, opened] of this.#sessions)
      if (!endpoints.has(key)) {
        this.#sessions.delete(key);
        opened.then((session) => session.close()).catch(() => {});
      }
  }
}

function answerOn(stream: ClientHttp2Stream): Promise<Answer> {
  let trailers: Pairs = [];
  stream.on("trailers", (received) => {
    trailers = headerPairs(received);
  });
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("the stream was closed")));
    stream.once("response", (headers, flags) => {
      const isEmpty = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      if (isEmpty) stream.resume();
      resolve({
        status: headers[":status"] ?? 502,
        reason: "",
        headers: headerPairs(headers),
        body: isEmpty ? undefined : stream,
        trailers: () => trailers,
      });
    });
  });
}
