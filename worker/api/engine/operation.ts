import type { Kind } from "../../kinds/kind.ts";
import type { Txn } from "../../storage/store.ts";
import type { ApiRequest, User } from "../request.ts";
import type { Core, Loose } from "./core.ts";

/** One write on its way through admission and validation. */
export type Operation = {
  readonly core: Core;
  readonly txn: Txn;
  readonly request: ApiRequest;
  readonly kind: Kind;
  readonly user: User;
  readonly action: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly namespace: string;
  /** "" while a name is yet to be generated. */
  readonly name: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Texts for `Warning` headers, added to on the way. */
  readonly warnings: string[];
  /** What is to be written; of a DELETE what is to go. */
  readonly object: Loose;
  /** What is there now; absent on a CREATE. */
  readonly old: Readonly<Loose> | undefined;
};

/** A step that refuses by throwing an ApiError. */
export type Step = { readonly name: string; run(operation: Operation): void };
