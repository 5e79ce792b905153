import type { Kinds } from "../../kinds/registry.ts";
import type { ClusterConfig } from "../../lib/config.ts";
import type { Effects } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Store } from "../../storage/store.ts";
import type { MutatingPolicy, Policy } from "../admission/policies/stored.ts";
import type { Hooks } from "../admission/webhooks/hooks.ts";
import type { EscalationCheck } from "../auth/escalation.ts";
import type { Authorizer } from "../auth/rules.ts";
import type { Attempt } from "../callouts/callouts.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import type { StoreView } from "../view.ts";

/** What every part of the engine works with. */
export type Core = {
  readonly store: Store;
  readonly kinds: Kinds;
  readonly effects: Effects;
  readonly config: ClusterConfig;
  readonly view: StoreView;
  /** Refuses RBAC objects that grant more than their author holds; absent where nobody but the system writes. */
  readonly checkEscalation?: EscalationCheck;
  /** Who may do what; absent where nobody but the system writes. */
  readonly authorizer?: Authorizer;
  /** The webhooks that are asked about writes; absent where there can be none. */
  readonly hooks?: Hooks;
  /** The policies that writes are held to; absent where there can be none. */
  readonly policies?: () => readonly Policy[];
  /** Those that change what is written. */
  readonly mutatingPolicies?: () => readonly MutatingPolicy[];
  /** What webhooks have answered about this write so far. */
  readonly attempt?: Attempt;
  /** Texts for the answer's `Warning` headers, also of a refusal; added to on the way. */
  readonly warnings: string[];
  /** When connected nodes were last heard, ms, by name; absent where nothing knows. */
  readonly heard?: () => ReadonlyMap<string, number>;
};

/** An object whose fields beyond metadata are looked at by name. */
export type Loose = KubeObject & Record<string, unknown>;

/** Answers one kind of request; refuses by throwing an ApiError. */
export type Handler = (core: Core, request: ApiRequest) => ApiResult;
