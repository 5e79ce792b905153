/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library */
import { dnsLabelProblems, dnsSubdomainProblems } from "../../names.ts";
import { sizeOf as actualSize, one } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { add, fixed, scale } from "../ranges.ts";
import { CelObject } from "../values.ts";

/** What is asked of the authorizer by an expression. */
export type Question =
  | { path: string; verb: string }
  | { group: string; resource: string; subresource: string; namespace: string; name: string; verb: string };

export type Decision = { allowed: boolean; reason: string };

const named = (type: string) => `kubernetes.authorization.${type}`;

/** `authorizer` in expressions. `as` is a service account's user name where another than the requester is meant. */
export class CelAuthorizer extends CelObject {
  readonly typeName = named("Authorizer");
  readonly decide: (question: Question, as: string | undefined) => Decision;
  readonly as: string | undefined;

  constructor(decide: CelAuthorizer["decide"], as?: string) {
    super();
    this.decide = decide;
    this.as = as;
  }
}

class PathCheck extends CelObject {
  readonly typeName = named("PathCheck");
  readonly authorizer: CelAuthorizer;
  readonly path: string;

  constructor(authorizer: CelAuthorizer, path: string) {
    super();
    if (!path) throw new CelError("path must not be empty");
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck extends CelObject {
  readonly typeName = named("GroupCheck");
  readonly authorizer: CelAuthorizer;
  readonly group: string;

  constructor(authorizer: CelAuthorizer, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }
}

type Place = { group: string; resource: string; subresource: string; namespace: string; name: string };

export class ResourceCheck extends CelObject {
  readonly typeName = named("ResourceCheck");
  readonly authorizer: CelAuthorizer;
  readonly place: Place;

  constructor(authorizer: CelAuthorizer, place: Place) {
    super();
    if (!place.resource) throw new CelError("resource must not be empty");
    this.authorizer = authorizer;
    this.place = place;
  }

  with(change: Partial<Place>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.place, ...change });
  }
}

class CelDecision extends CelObject {
  readonly typeName = named("Decision");
  readonly decision: Decision;

  constructor(decision: Decision) {
    super();
    this.decision = decision;
  }
}

const ask = ({ decide, as }: CelAuthorizer, question: Question) => new CelDecision(decide(question, as));

function serviceAccount({ decide }: CelAuthorizer, namespace: string, name: string): CelAuthorizer {
  if (dnsSubdomainProblems(name).length) throw new CelError("Invalid service account name");
  if (dnsLabelProblems(namespace).length) throw new CelError("Invalid service account namespace");
  return new CelAuthorizer(decide, `system:serviceaccount:${namespace}:${name}`);
}

/** A question costs so much that an expression can put two. */
const CHECK = 350_000;
const checking: Costs = { cost: () => CHECK, estimate: () => ({ cost: fixed(CHECK) }) };
const building: Costs = { cost: one, estimate: () => ({ cost: fixed(1) }) };
const selecting: Costs = {
  cost: ([, text]) => 10 + Math.ceil(actualSize(text) * 0.1) + Math.ceil(Math.ceil(actualSize(text) * 0.5) * 50),
  estimate([, text], sizeOf) {
    if (!text) return undefined;
    const size = sizeOf(text);
    return { cost: add(add(fixed(10), scale(size, 0.1)), scale(scale(size, 0.5), 50)) };
  },
};

const [A, P, G, R, D] = ["Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision"].map(named);

export const AUTHORIZER: string = A as string;
export const RESOURCE_CHECK: string = R as string;

export const authorization = new Library()
  .add(
    `${A}::path(string): ${P}`,
    "authorizer_path",
    (a: CelAuthorizer, path: string) => new PathCheck(a, path),
    building,
  )
  .add(
    `${A}::group(string): ${G}`,
    "authorizer_group",
    (a: CelAuthorizer, group: string) => new GroupCheck(a, group),
    building,
  )
  .add(`${A}::serviceAccount(string, string): ${A}`, "authorizer_serviceaccount", serviceAccount, building)
  .add(
    `${G}::resource(string): ${R}`,
    "groupcheck_resource",
    ({ authorizer, group }: GroupCheck, resource: string) =>
      new ResourceCheck(authorizer, { group, resource, subresource: "", namespace: "", name: "" }),
    building,
  )
  .add(
    `${R}::subresource(string): ${R}`,
    "resourcecheck_subresource",
    (r: ResourceCheck, subresource: string) => r.with({ subresource }),
    building,
  )
  .add(
    `${R}::namespace(string): ${R}`,
    "resourcecheck_namespace",
    (r: ResourceCheck, namespace: string) => r.with({ namespace }),
    building,
  )
  .add(`${R}::name(string): ${R}`, "resourcecheck_name", (r: ResourceCheck, name: string) => r.with({ name }), building)
  // Authorization here is by roles, which do not look at selectors.
  .add(`${R}::fieldSelector(string): ${R}`, "authorizer_fieldselector", (r: ResourceCheck) => r, selecting)
  .add(`${R}::labelSelector(string): ${R}`, "authorizer_labelselector", (r: ResourceCheck) => r, selecting)
  .add(
    `${P}::check(string): ${D}`,
    "pathcheck_check",
    ({ authorizer, path }: PathCheck, verb: string) => ask(authorizer, { path, verb }),
    checking,
  )
  .add(
    `${R}::check(string): ${D}`,
    "resourcecheck_check",
    ({ authorizer, place }: ResourceCheck, verb: string) => ask(authorizer, { ...place, verb }),
    checking,
  )
  .add(`${D}::errored(): bool`, "decision_errored", () => false, building)
  .add(`${D}::error(): string`, "decision_error", () => "", building)
  .add(`${D}::allowed(): bool`, "decision_allowed", ({ decision }: CelDecision) => decision.allowed, building)
  .add(`${D}::reason(): string`, "decision_reason", ({ decision }: CelDecision) => decision.reason, building);
