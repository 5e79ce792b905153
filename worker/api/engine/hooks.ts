import type { Kind } from "../../kinds/kind.ts";
import type { StoredObject } from "../../storage/store.ts";
import { settleCertificateRequest } from "./certificate-requests.ts";
import { componentStatuses } from "./component-statuses.ts";
import type { Core } from "./core.ts";
import { renewed } from "./node-leases.ts";
import type { Operation, Step } from "./operation.ts";
import { allocateService, settleService } from "./services/service.ts";

/** What a resource does between admission and storage beyond its kind's own rules, because it needs the store. */
export type Hooks = {
  /** Before validation: settles fields that depend on what was there. */
  prepare?: Step["run"];
  /** After validation: takes what can be had only once. */
  allocate?: Step["run"];
  /** The steps of writes run for subresources too. */
  everywhere?: boolean;
  /** On reads: puts in what is true now and is not written. */
  current?: (core: Core, objects: readonly StoredObject[]) => readonly StoredObject[];
};

const hooks: Readonly<Record<string, Hooks>> = {
  "certificatesigningrequests.certificates.k8s.io": { prepare: settleCertificateRequest, everywhere: true },
  componentstatuses: { current: componentStatuses },
  "leases.coordination.k8s.io": { current: renewed },
  services: { prepare: settleService, allocate: allocateService },
};

/** Hooks of the main endpoint; most subresources leave what they are about alone. */
export function hooksOf({ kind, subresource }: Operation): Hooks {
  const found = hooks[kind.groupResource] ?? {};
  return subresource === "" || found.everywhere ? found : {};
}

/** Whether stored objects are read as they lie. */
export const isReadAsStored = ({ groupResource }: Kind): boolean => hooks[groupResource]?.current === undefined;

/** Stored objects as they are to be read. */
export const current = (core: Core, { groupResource }: Kind, objects: readonly StoredObject[]) =>
  hooks[groupResource]?.current?.(core, objects) ?? objects;
