import type { Access } from "./access.ts";
import { RegistryError } from "./errors.ts";
import type { Place } from "./names.ts";
import type { Store } from "./uploads.ts";

/** One request, by someone who may. `url`'s path is the cluster's own. */
export type Asked<Kind extends Place["type"]> = {
  request: Request;
  url: URL;
  place: Place & { type: Kind };
  store: Store;
  access: Access;
  /** By which the client may have this blob from nodes, if it wants that. */
  ticket: string | undefined;
  /** What clients have before the names of repositories: "" or `clusters/NAME/`. */
  prefix: string;
  /** A path of the registry as clients see it. */
  outside(path: string): string;
};

export const unsupported = (method: string): RegistryError =>
  new RegistryError("UNSUPPORTED", `${method} is not served here`);
