import { describe, expect, test } from "vitest";
import { builtinKinds } from "../../kinds/registry.ts";
import { DEFAULT_CONFIG } from "../../lib/config.ts";
import { nodeSql } from "../../storage/node-sql.ts";
import { openStore } from "../../storage/sqlite-store.ts";
import { createSecurity } from "../auth/security.ts";
import { Engine } from "../engine/engine.ts";
import type { Verb } from "../request.ts";
import { testEffects } from "../testing/effects.ts";
import { bootstrap } from "./bootstrap.ts";
import type { Loose } from "./reconcile.ts";

function started(controllers = false) {
  const store = openStore(nodeSql(":memory:"));
  const kinds = builtinKinds();
  const { effects } = testEffects();
  const config = { ...DEFAULT_CONFIG, controllers };
  const engine = new Engine({ store, kinds, effects, config, security: createSecurity(store) });
  const start = () => bootstrap({ store, kinds, engine, config, effects });
  start();
  const ask = (verb: Verb, kindName: string, name: string, object?: Loose) => {
    const kind = [...kinds.all()].find((candidate) => candidate.kind === kindName);
    if (!kind) throw new Error(`no kind ${kindName}`);
    const result = engine.handle({
      verb,
      kind,
      namespace: "",
      name,
      subresource: "",
      user: { name: "admin", groups: ["system:masters"] },
      query: new URLSearchParams(),
      contentType: "application/json",
      body: object && JSON.stringify(object),
      userAgent: "test",
    });
    return result.type === "object" ? (JSON.parse(result.json) as Loose) : undefined;
  };
  const change = (kind: string, name: string, edit: (object: Loose) => void) => {
    const object = ask("get", kind, name) as Loose;
    edit(object);
    return ask("update", kind, name, object);
  };
  return { store, start, ask, change };
}

describe("a start", () => {
  test("writes nothing where nothing has changed, or what has is as it should be", () => {
    const { store, start, change } = started();
    const before = store.revision();
    start();
    expect(store.revision()).toBe(before);
    change("ClusterRole", "admin", ({ metadata }) =>
      Object.assign(metadata ?? {}, { labels: { ...metadata?.labels, x: "y" } }),
    );
    start();
    expect(store.revision()).toBe(before + 1);
  });

  test("makes what is missing", () => {
    const { start, ask } = started();
    for (const [kind, name] of [
      ["ClusterRole", "view"],
      ["PriorityClass", "system-node-critical"],
      ["FlowSchema", "probes"],
    ] as const) {
      ask("delete", kind, name);
      expect(ask("get", kind, name)).toBeUndefined();
      start();
      expect(ask("get", kind, name)).toBeDefined();
    }
  });

  test("gives a cluster a default StorageClass once, and none where the API is alone", () => {
    expect(started().ask("get", "StorageClass", "local-path")).toBeUndefined();
    const { start, ask } = started(true);
    expect(ask("get", "StorageClass", "local-path")).toMatchObject({
      metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "skerry.dev/local",
      volumeBindingMode: "WaitForFirstConsumer",
    });
    ask("delete", "StorageClass", "local-path");
    start();
    expect(ask("get", "StorageClass", "local-path")).toBeUndefined();
  });

  test("gives a cluster an IngressClass once, which is the default one where there is no other", () => {
    expect(started().ask("get", "IngressClass", "skerry")).toBeUndefined();
    const { start, ask } = started(true);
    const found = ask("get", "IngressClass", "skerry");
    expect(found).toMatchObject({
      metadata: { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
      spec: { controller: "skerry.dev/ingress" },
    });
    ask("delete", "IngressClass", "skerry");
    start();
    expect(ask("get", "IngressClass", "skerry")).toBeUndefined();
  });

  test("gives a role the permissions that it lacks, leaves those that it has more, and one that is not to be updated", () => {
    const { start, ask, change } = started();
    const more = { apiGroups: ["example.com"], resources: ["things"], verbs: ["get"] };
    const wanted = ask("get", "ClusterRole", "system:node-proxier")?.rules ?? [];
    change("ClusterRole", "system:node-proxier", (role) => Object.assign(role, { rules: [more] }));
    start();
    const rules = ask("get", "ClusterRole", "system:node-proxier")?.rules ?? [];
    expect(rules[0]).toEqual(more);
    expect(rules.length).toBeGreaterThan(wanted.length);
    change("ClusterRole", "system:node-proxier", (role) => {
      role.rules = [];
      Object.assign(role.metadata?.annotations ?? {}, { "rbac.authorization.kubernetes.io/autoupdate": "false" });
    });
    start();
    expect(ask("get", "ClusterRole", "system:node-proxier")?.rules).toBeNull();
  });

  test("gives a binding its subjects, and makes one to another role anew", () => {
    const { start, ask, change } = started();
    change("ClusterRoleBinding", "cluster-admin", (binding) => Object.assign(binding, { subjects: [] }));
    start();
    const binding = ask("get", "ClusterRoleBinding", "cluster-admin") as Loose;
    expect(binding.subjects).toMatchObject([{ name: "system:masters" }]);
    ask("delete", "ClusterRoleBinding", "cluster-admin");
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
    ask("create", "ClusterRoleBinding", "", { ...binding, metadata: { name: "cluster-admin" }, roleRef });
    start();
    expect(ask("get", "ClusterRoleBinding", "cluster-admin")?.roleRef).toEqual(binding.roleRef);
  });

  test("restores flow control that is mandatory, and suggestions that nobody has taken over", () => {
    const { start, ask, change } = started();
    const disown = (object: Loose) => {
      Object.assign(object.spec as object, { matchingPrecedence: 77 });
      Object.assign(object.metadata?.annotations ?? {}, { "apf.kubernetes.io/autoupdate-spec": "false" });
    };
    const own = (object: Loose) => Object.assign(object.spec as object, { matchingPrecedence: 78 });
    const precedence = (name: string) =>
      (ask("get", "FlowSchema", name) as Loose & { spec: { matchingPrecedence: number } }).spec.matchingPrecedence;
    const before = precedence("global-default");
    change("FlowSchema", "probes", disown);
    change("FlowSchema", "global-default", own);
    start();
    expect(precedence("probes")).toBe(77);
    expect(precedence("global-default")).toBe(before);
  });
});
