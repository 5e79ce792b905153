/** The engine over a database in memory, asked with methods and paths but without HTTP, so that tests read as sessions. */
import { builtinKinds } from "../../kinds/registry.ts";
import { type ClusterConfig, DEFAULT_CONFIG } from "../../lib/config.ts";
import { ApiError } from "../../lib/status.ts";
import { nodeSql } from "../../storage/node-sql.ts";
import { openStore } from "../../storage/sqlite-store.ts";
import { Engine } from "../engine/engine.ts";
import { requestInfo } from "../http/request-info.ts";
import { render } from "../render.ts";
import type { ApiRequest, WatchSpec } from "../request.ts";
import { Watches } from "../watch/watch.ts";
import { testEffects } from "./effects.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by tests as any client would
export type Body = any;
export type Answer = { code: number; body: Body; warnings: readonly string[] };

const PATCH = "application/merge-patch+json";

/** A cluster with the namespace `default` and its service account. Its clock stands still unless moved. */
export function session(overrides: Partial<ClusterConfig> = {}) {
  const store = openStore(nodeSql(":memory:"));
  const kinds = builtinKinds();
  const { clock, effects } = testEffects();
  const config = { ...DEFAULT_CONFIG, ...overrides };
  const engine = new Engine({ store, kinds, effects, config });
  const watches = new Watches({ kinds, view: engine.view, effects });

  function request(method: string, path: string, body?: unknown, contentType = ""): ApiRequest {
    const url = new URL(path, "http://cluster");
    const info = requestInfo(method, url);
    if (info.type === "path") throw new Error(`${path} names no resource`);
    const kind = kinds.find(info.group, info.version, info.resource);
    if (!kind) throw new Error(`${path} is not served`);
    const isList = info.verb === "list" || info.verb === "watch" || info.verb === "deletecollection";
    return {
      verb: info.verb as ApiRequest["verb"],
      kind,
      namespace: kind.namespaced ? info.namespace : "",
      name: isList ? "" : info.name,
      subresource: info.subresource,
      user: { name: "admin", groups: ["system:masters"] },
      query: url.searchParams,
      contentType: contentType || (method === "PATCH" ? PATCH : "application/json"),
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      userAgent: "test",
    };
  }

  function send(method: string, path: string, body?: unknown, contentType = ""): Answer {
    const result = engine.handle(request(method, path, body, contentType));
    return {
      code: result.code,
      body: JSON.parse(String(render(result, { shape: "json" }, clock.now))),
      warnings: result.warnings,
    };
  }

  /** Sends what must succeed, and gives the body. */
  function ok(method: string, path: string, body?: unknown, contentType = ""): Body {
    const answer = send(method, path, body, contentType);
    if (answer.code >= 300) throw new Error(`${method} ${path}: ${answer.body.message}`);
    return answer.body;
  }

  /** Opens a watch and reads what comes first; `more` reads what was written since. */
  function watch(path: string, format: WatchSpec["format"] = "json") {
    const spec = engine.watch(request("GET", path), format);
    const parse = (lines: Iterable<string>): Body[] =>
      [...lines].flatMap((line) => line.split("\n").filter((text) => text !== "")).map((text) => JSON.parse(text));
    const first = parse(watches.initialEvents(spec, store));
    const more = () => {
      const changes = store.since(spec.revision, [watches.scope(spec)]);
      if (changes === "expired") throw new Error("expired");
      return parse([...changes].map((change) => watches.renderChange(spec, change)));
    };
    return { spec, first, more };
  }

  /** The refusal of a watch. */
  function refusedWatch(path: string): Body {
    try {
      engine.watch(request("GET", path), "json");
    } catch (error) {
      if (error instanceof ApiError) return error.status();
      throw error;
    }
    throw new Error(`${path} was not refused`);
  }

  ok("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  ok("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  return { store, kinds, engine, watches, clock, send, ok, watch, refusedWatch };
}

export const ns = "/api/v1/namespaces/default";

export const configMap = (name: string, more: object = {}) => ({ metadata: { name }, ...more });

export const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: "c", image: "busybox:1.37" }], ...spec },
});

/** Type and name of each watch event. */
export const seen = (events: readonly Body[]): string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata.name}`);
