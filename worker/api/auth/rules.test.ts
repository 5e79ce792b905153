import { describe, expect, test } from "vitest";
import { compact, describeRule, type PolicyRule, type ResourceAttributes, ruleAllows, uncovered } from "./rules.ts";

const ask = (more: Partial<ResourceAttributes>): ResourceAttributes => ({
  type: "resource",
  verb: "get",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "",
  namespace: "a",
  name: "p",
  ...more,
});
const rule = (more: Partial<PolicyRule> = {}): PolicyRule => ({
  verbs: ["get"],
  apiGroups: [""],
  resources: ["pods"],
  ...more,
});

describe("a rule allows", () => {
  test.each([
    ["what it names", rule(), ask({}), true],
    ["no other verb", rule(), ask({ verb: "list" }), false],
    ["no other group", rule(), ask({ group: "apps" }), false],
    ["no subresource by naming the resource", rule(), ask({ subresource: "log" }), false],
    ["the subresource it names", rule({ resources: ["pods/log"] }), ask({ subresource: "log" }), true],
    ["a subresource of anything", rule({ resources: ["*/scale"] }), ask({ subresource: "scale" }), true],
    ["everything by a star, subresources too", rule({ resources: ["*"] }), ask({ subresource: "log" }), true],
    ["only the names it lists", rule({ resourceNames: ["q"] }), ask({}), false],
    [
      "nothing without a name when it lists some",
      rule({ resourceNames: ["p"], verbs: ["list"] }),
      ask({ verb: "list", name: "" }),
      false,
    ],
  ])("%s", (_, given, attributes, allowed) => {
    expect(ruleAllows(given, attributes)).toBe(allowed);
  });

  test("paths by name and by prefix, and no resources by them", () => {
    const paths = { verbs: ["get"], nonResourceURLs: ["/healthz", "/api/*"] };
    const path = (name: string) => ({ type: "path" as const, verb: "get", path: name });
    expect(["/healthz", "/api/v1", "/healthz/x", "/apis"].map((name) => ruleAllows(paths, path(name)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(ruleAllows(paths, ask({}))).toBe(false);
  });
});

describe("covering", () => {
  test("several rules together cover one", () => {
    const owned = [rule({ verbs: ["get"] }), rule({ verbs: ["list"] })];
    expect(uncovered(owned, [rule({ verbs: ["get", "list"] })])).toEqual([]);
  });

  test("a rule for one name covers no rule for all names", () => {
    expect(uncovered([rule({ resourceNames: ["p"] })], [rule()])).toHaveLength(1);
    expect(uncovered([rule()], [rule({ resourceNames: ["p"] })])).toEqual([]);
  });

  test("what is missing is told verb by verb, then joined and printed as Go prints it", () => {
    const missing = uncovered([rule()], [rule({ verbs: ["get", "list", "watch"], resources: ["pods", "secrets"] })]);
    expect(compact(missing).map(describeRule)).toEqual([
      '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}',
    ]);
  });
});
