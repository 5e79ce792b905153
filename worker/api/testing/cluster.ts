/** The whole API in this process: an app over a database in memory, asked as over HTTP. */
import { Driver, type ObjectChange } from "../../controllers/driver.ts";
import { apiServerControllers } from "../../controllers/index.ts";
import { CUSTOM_METRICS_KINDS } from "../../kinds/metrics/custom.ts";
import { METRICS_KINDS } from "../../kinds/metrics/metrics.ts";
import { builtinKinds, type Kinds } from "../../kinds/registry.ts";
import { type ClusterConfig, DEFAULT_CONFIG } from "../../lib/config.ts";
import { nodeSql } from "../../storage/node-sql.ts";
import { openStore } from "../../storage/sqlite-store.ts";
import type { Change, Sql, Store } from "../../storage/store.ts";
import type { Extensions } from "../aggregation/aggregation.ts";
import { createApp } from "../app.ts";
import { Audit } from "../audit/audit.ts";
import { sha256 } from "../auth/authenticate.ts";
import type { Logins } from "../auth/logins.ts";
import { createSecurity } from "../auth/security.ts";
import { bootstrap } from "../bootstrap/bootstrap.ts";
import type { Caller } from "../callouts/callouts.ts";
import { serveCustomResources } from "../custom-resources.ts";
import { Engine } from "../engine/engine.ts";
import type { SeenByNodes } from "../metrics/custom.ts";
import type { Usages } from "../metrics/metrics.ts";
import { Watches } from "../watch/watch.ts";
import { testEffects } from "./effects.ts";

const ADMIN_TOKEN = "admin";

/** Changes as controllers hear of them, those since the last pull. */
export function changesOf(store: Store, kinds: Kinds): () => Iterable<ObjectChange> {
  let waiting: Change[] = [];
  store.onChange((changes) => waiting.push(...changes));
  return function* pull() {
    const changes = waiting;
    waiting = [];
    for (const { resource, type, json, previous } of changes) {
      const kind = kinds.preferred(resource);
      const old = previous ?? (type === "DELETED" ? json : undefined);
      if (kind) yield { type, kind, object: JSON.parse(json), ...(old && { old: JSON.parse(old) }) };
    }
  };
}

/** A cluster without controllers but those of kube-apiserver itself. Its clock stands still unless moved. */
export async function testCluster({
  ask: caller,
  sql = nodeSql(":memory:"),
  extensions,
  usages,
  traffic,
  logins,
  sendFigures = () => undefined,
  ...overrides
}: Partial<ClusterConfig> & {
  ask?: Caller;
  sql?: Sql;
  extensions?: Extensions;
  /** With it `metrics.k8s.io` is served. */
  usages?: Usages;
  traffic?: SeenByNodes;
  sendFigures?: () => void;
  /** Is given the cluster's clock. */
  logins?: (now: () => number) => Promise<Logins>;
} = {}) {
  const store = openStore(sql);
  const kinds = builtinKinds(overrides.runtimeConfig);
  serveCustomResources(store, kinds);
  if (usages) for (const kind of METRICS_KINDS) kinds.add(kind);
  if (traffic) for (const kind of CUSTOM_METRICS_KINDS) kinds.add(kind);
  const { clock, effects } = testEffects();
  const config = { ...DEFAULT_CONFIG, controllers: false, ...overrides };
  const security = createSecurity(store);
  const engine = new Engine({ store, kinds, effects, config, security });
  const watches = new Watches({ kinds, view: engine.view, effects });
  bootstrap({ store, kinds, engine, config, effects });
  const driver = new Driver({
    controllers: apiServerControllers({
      client: "-----BEGIN CERTIFICATE-----",
      frontProxy: "-----BEGIN CERTIFICATE-----",
    }),
    view: engine.view,
    apply: (intent, controller) => engine.applyIntent(intent, controller),
    work: store.work,
    effects,
    pull: changesOf(store, kinds),
    report(controller, key, error) {
      throw new Error(`${controller} ${key}: ${error}`);
    },
  });
  const audit: Audit = new Audit({ store, effects, wake: () => audit.flush() });
  const api = createApp({
    audit,
    engine,
    kinds,
    store,
    effects,
    security,
    watches,
    config: {
      adminTokenHash: await sha256(ADMIN_TOKEN),
      ca: "-----BEGIN CERTIFICATE-----",
      ...(logins && { logins: await logins(effects.now) }),
    },
    ...(usages && { usages }),
    ...(traffic && { traffic }),
    sendFigures,
    ticketFor: async (digest) => `for ${digest}`,
    ask: caller ?? (async () => ({ failed: "no webhook can be reached here" })),
    extensions: extensions ?? {
      get: async () => {
        throw new Error("no server can be reached here");
      },
      used: () => undefined,
    },
    async batch(body) {
      try {
        return body();
      } finally {
        audit.flush();
        driver.drain({ reconciles: 1000 });
      }
    },
  });
  const send = (path: string, init: RequestInit = {}) =>
    api.fetch(new Request(new URL(path, "http://localhost"), init));

  /** A request as the administrator, or as `as` says; its answer parsed where it is JSON. */
  async function ask(method: string, path: string, body?: unknown, as: Record<string, string> = {}) {
    const headers = {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...as,
    };
    const response = await send(path, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    // The index of OpenAPI documents calls itself plain text.
    const isJson =
      /^application\/json|^text\/plain/.test(response.headers.get("content-type") ?? "") && text[0] === "{";
    return { code: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }
  return { api, store, kinds, engine, clock, security, send, ask };
}
