import type { Operation, Step } from "./operation.ts";
import { allocateService, settleService } from "./services/service.ts";

/** What a resource does between admission and storage beyond its kind's own rules, because it needs the store. */
export type Hooks = {
  /** Before validation: settles fields that depend on what was there. */
  prepare?: Step["run"];
  /** After validation: takes what can be had only once. */
  allocate?: Step["run"];
};

const hooks: Readonly<Record<string, Hooks>> = {
  services: { prepare: settleService, allocate: allocateService },
};

/** Hooks of the main endpoint; subresources leave what they are about alone. */
export const hooksOf = ({ kind, subresource }: Operation): Hooks =>
  (subresource === "" ? hooks[kind.groupResource] : undefined) ?? {};
