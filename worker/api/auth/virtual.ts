/** Resources that are asked and never stored: reviews and tokens. */

import type { Kind } from "../../kinds/kind.ts";
import type { Effects } from "../../lib/effects.ts";
import type { ObjectMeta } from "../../lib/object.ts";
import type { Store } from "../../storage/store.ts";
import type { User } from "../request.ts";
import type { Identity, Presented } from "./authenticate.ts";
import type { Rbac } from "./rbac.ts";
import type { Authorizer } from "./rules.ts";
import type { SigningKey } from "./signing-key.ts";

/** What a virtual resource answers from. */
export type Context = {
  store: Store;
  effects: Effects;
  rbac: Rbac;
  authorizer: Authorizer;
  key: SigningKey;
  /** Who is behind the token that a TokenReview carries; digested before the turn. */
  identify(presented: Presented, audiences?: readonly string[]): Identity | { refused: string };
};

export type Question = {
  kind: Kind;
  user: User;
  namespace: string;
  name: string;
  /** The request's object, structurally checked. */
  object: { metadata?: ObjectMeta; spec?: unknown };
  presented: Presented | undefined;
};

/** The whole answer object. A promise may only sign: it touches the store no more. */
export type Virtual = (context: Context, question: Question) => object | Promise<object>;
