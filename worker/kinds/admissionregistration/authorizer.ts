import type { Environment } from "@marcbachmann/cel-js";

/** What is asked of the authorizer by an expression. */
export type Question =
  | { path: string; verb: string }
  | { group: string; resource: string; subresource: string; namespace: string; name: string; verb: string };

export type Decision = { allowed: boolean; reason: string };

/** `authorizer` in expressions. `as` is a service account's user name where another than the requester is meant. */
export class CelAuthorizer {
  readonly decide: (question: Question, as: string | undefined) => Decision;
  readonly as: string | undefined;

  constructor(decide: CelAuthorizer["decide"], as?: string) {
    this.decide = decide;
    this.as = as;
  }
}

class PathCheck {
  readonly authorizer: CelAuthorizer;
  readonly path: string;

  constructor(authorizer: CelAuthorizer, path: string) {
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck {
  readonly authorizer: CelAuthorizer;
  readonly group: string;

  constructor(authorizer: CelAuthorizer, group: string) {
    this.authorizer = authorizer;
    this.group = group;
  }
}

type Place = { group: string; resource: string; subresource: string; namespace: string; name: string };

export class ResourceCheck {
  readonly authorizer: CelAuthorizer;
  readonly place: Place;

  constructor(authorizer: CelAuthorizer, place: Place) {
    this.authorizer = authorizer;
    this.place = place;
  }

  with(change: Partial<Place>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.place, ...change });
  }
}

class CelDecision {
  readonly decision: Decision;

  constructor(decision: Decision) {
    this.decision = decision;
  }
}

const ask = ({ decide, as }: CelAuthorizer, question: Question) => new CelDecision(decide(question, as));

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library */
export function registerAuthorizer(environment: Environment): void {
  const name = (type: string) => `kubernetes.authorization.${type}`;
  const [authorizer, path, group, resource, decision] = [
    "Authorizer",
    "PathCheck",
    "GroupCheck",
    "ResourceCheck",
    "Decision",
  ].map(name);
  environment
    .registerType(authorizer as string, CelAuthorizer)
    .registerType(path as string, PathCheck)
    .registerType(group as string, GroupCheck)
    .registerType(resource as string, ResourceCheck)
    .registerType(decision as string, CelDecision)
    .registerVariable("authorizer", authorizer as string)
    .registerFunction(`${authorizer}.path(string): ${path}`, (a: CelAuthorizer, p: string) => new PathCheck(a, p))
    .registerFunction(`${authorizer}.group(string): ${group}`, (a: CelAuthorizer, g: string) => new GroupCheck(a, g))
    .registerFunction(
      `${authorizer}.serviceAccount(string, string): ${authorizer}`,
      (a: CelAuthorizer, namespace: string, account: string) =>
        new CelAuthorizer(a.decide, `system:serviceaccount:${namespace}:${account}`),
    )
    .registerFunction(
      `${group}.resource(string): ${resource}`,
      (g: GroupCheck, r: string) =>
        new ResourceCheck(g.authorizer, { group: g.group, resource: r, subresource: "", namespace: "", name: "" }),
    )
    .registerFunction(`${resource}.subresource(string): ${resource}`, (r: ResourceCheck, subresource: string) =>
      r.with({ subresource }),
    )
    .registerFunction(`${resource}.namespace(string): ${resource}`, (r: ResourceCheck, namespace: string) =>
      r.with({ namespace }),
    )
    .registerFunction(`${resource}.name(string): ${resource}`, (r: ResourceCheck, named: string) =>
      r.with({ name: named }),
    )
    .registerFunction(`${resource}.check(string): ${decision}`, (r: ResourceCheck, verb: string) =>
      ask(r.authorizer, { ...r.place, verb }),
    )
    .registerFunction(`${path}.check(string): ${decision}`, (p: PathCheck, verb: string) =>
      ask(p.authorizer, { path: p.path, verb }),
    )
    .registerFunction(`${decision}.allowed(): bool`, (d: CelDecision) => d.decision.allowed)
    .registerFunction(`${decision}.reason(): string`, (d: CelDecision) => d.decision.reason)
    .registerFunction(`${decision}.errored(): bool`, () => false);
}
