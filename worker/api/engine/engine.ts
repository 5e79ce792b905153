import type { Kind } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";
import type { ClusterConfig } from "../../lib/config.ts";
import type { Effects } from "../../lib/effects.ts";
import { ApiError, methodNotAllowed } from "../../lib/status.ts";
import type { Store, StoredObject } from "../../storage/store.ts";
import { storedMutatingPolicies, storedPolicies } from "../admission/policies/stored.ts";
import { storedHooks } from "../admission/webhooks/hooks.ts";
import type { EscalationCheck } from "../auth/escalation.ts";
import type { Authorizer } from "../auth/rules.ts";
import type { Attempt } from "../callouts/callouts.ts";
import type { ApiRequest, ApiResult, Verb, WatchSpec } from "../request.ts";
import { StoreView } from "../view.ts";
import { watchSpec } from "../watch/spec.ts";
import { connect } from "./connect.ts";
import type { Core, Handler } from "./core.ts";
import { create } from "./create.ts";
import { remove } from "./delete.ts";
import { deleteCollection } from "./delete-collection.ts";
import { expireEvents } from "./events.ts";
import { current } from "./hooks.ts";
import { type Applied, applyIntent } from "./intents.ts";
import { patch } from "./patch.ts";
import { get, list } from "./read.ts";
import { subresources, virtual } from "./subresources.ts";
import { update } from "./update.ts";

const handlers: Readonly<Partial<Record<Verb, Handler>>> = {
  create,
  get,
  list,
  update,
  patch,
  delete: remove,
  deletecollection: deleteCollection,
};

/**
 * Kubernetes' API on one store: what a request means, whether it is valid, and what it changes. Routing,
 * authentication and authorization come before it, rendering after. Synchronous throughout, so that a request is one
 * transaction and nothing interleaves.
 */
export class Engine {
  readonly #core: Core;
  /** What controllers, the scheduler and the link read; parsed objects are shared with the engine's own reads. */
  readonly view: StoreView;

  constructor({
    store,
    kinds,
    effects,
    config,
    security,
    heard,
  }: {
    store: Store;
    kinds: Kinds;
    effects: Effects;
    config: ClusterConfig;
    /** Without it, RBAC objects may grant anything. */
    security?: { checkEscalation: EscalationCheck; authorizer: Authorizer };
    /** When connected nodes were last heard, ms, by name: makes their Leases current. */
    heard?: () => ReadonlyMap<string, number>;
  }) {
    this.view = new StoreView(store, kinds);
    this.#core = {
      store,
      kinds,
      effects,
      config,
      view: this.view,
      warnings: [],
      hooks: storedHooks(store),
      policies: storedPolicies(store),
      mutatingPolicies: storedMutatingPolicies(store, kinds),
      ...(security && { checkEscalation: security.checkEscalation, authorizer: security.authorizer }),
      ...(heard && { heard }),
    };
  }

  /**
   * Every verb but watch. A refusal is a result too: its body is the Status. Throws CalloutsNeeded, and has then written
   * nothing, where webhooks are to be asked that `attempt` has no answer of.
   */
  handle(request: ApiRequest, attempt?: Attempt): ApiResult {
    const core = this.#during(attempt);
    return answering(core.warnings, () => {
      const { kind, subresource, verb } = request;
      const table = subresource ? subresources[subresource] : (virtual[kind.groupResource] ?? handlers);
      const handler = table?.[verb];
      if (!handler) throw methodNotAllowed();
      return handler(core, request);
    });
  }

  /** The core as one try of a request sees it: with its warnings, and of a write its answers, its time and its chances. */
  #during(attempt: Attempt | undefined): Core {
    return { ...this.#core, warnings: [], ...(attempt && { effects: attempt.effects, attempt }) };
  }

  /** Stored objects of one kind with what is true now and is not written. */
  current(kind: Kind, objects: readonly StoredObject[]): readonly StoredObject[] {
    return current(this.#core, kind, objects);
  }

  /** Carries out what a controller decided; what the API answers when it refuses. Throws CalloutsNeeded as `handle` does. */
  applyIntent(intent: Applied, controller: string, attempt?: Attempt): ApiError | undefined {
    try {
      applyIntent(this.#during(attempt), intent, controller);
      return undefined;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  /** Removes at most `budget` events that are older than an hour; true when more remain. */
  expireEvents(budget: number): boolean {
    return expireEvents(this.#core, this.#core.effects.now(), budget);
  }

  /** Throws the ApiError of who does not admit the connection, and CalloutsNeeded as `handle` does. */
  connect(request: ApiRequest, attempt?: Attempt): void {
    connect(this.#during(attempt), request);
  }

  /** Throws ApiError when the watch must not begin. */
  watch(request: ApiRequest, format: WatchSpec["format"]): WatchSpec {
    return watchSpec(this.#core, request, format);
  }
}

function answering(warnings: readonly string[], body: () => ApiResult): ApiResult {
  try {
    return body();
  } catch (error) {
    if (error instanceof ApiError) return { type: "status", code: error.code, body: error.status(), warnings };
    throw error;
  }
}
