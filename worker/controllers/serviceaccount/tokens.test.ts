import { expect, test } from "vitest";
import { Secret } from "../../kinds/core/secret.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import { Model } from "../testing.ts";
import { tokensController } from "./tokens.ts";

const ANNOTATION = "kubernetes.io/service-account.name";

function prepared() {
  const ready = new Set<string>();
  const model = new Model([
    tokensController({
      ca: "CA",
      sign: (key, _, { account, uid }) => (ready.has(key) ? `token of ${account} ${uid}` : undefined),
    }),
  ]);
  model.create(ServiceAccount, { metadata: { name: "robot", namespace: "default" } } as ServiceAccount);
  const uid = model.get(ServiceAccount, "robot")?.metadata?.uid ?? "";
  const ask = (name: string, account: string, more: Partial<Secret> = {}) => {
    const metadata = { name, namespace: "default", annotations: { [ANNOTATION]: account } };
    model.create(Secret, { metadata, type: "kubernetes.io/service-account-token", ...more } as Secret);
  };
  const read = (name: string) => {
    model.rest();
    return model.get(Secret, name);
  };
  const signed = (key: string) => {
    ready.add(key);
    model.driver.enqueue("tokens-controller", key);
  };
  return { model, uid, ask, read, signed };
}

test("a Secret for an account is filled when its token is signed", () => {
  const { ask, read, signed, uid } = prepared();
  ask("a", "robot");
  expect(read("a")?.data).toBeUndefined();
  signed("default/a");
  expect(read("a")).toMatchObject({
    metadata: { annotations: { [ANNOTATION]: "robot", "kubernetes.io/service-account.uid": uid } },
    data: { token: btoa(`token of robot ${uid}`), "ca.crt": btoa("CA"), namespace: btoa("default") },
  });
});

test("what is missing is filled in, and a token that is there stays", () => {
  const { ask, read } = prepared();
  ask("a", "robot", { data: { token: "b3du" } });
  expect(read("a")?.data).toEqual({ token: "b3du", "ca.crt": btoa("CA"), namespace: btoa("default") });
});

test("other Secrets are let be", () => {
  const { ask, read } = prepared();
  ask("a", "robot", { type: "Opaque" });
  ask("b", "nobody", { type: "Opaque" });
  expect([read("a")?.data, read("b")?.data]).toEqual([undefined, undefined]);
});

test("a Secret goes with its account, and does not come to another of the name", () => {
  const { model, ask, read, signed } = prepared();
  ask("a", "robot");
  ask("b", "nobody");
  signed("default/a");
  expect(read("a")?.data?.token).toBeDefined();
  expect(read("b")).toBeUndefined();
  model.delete(ServiceAccount, model.get(ServiceAccount, "robot") as ServiceAccount);
  model.create(ServiceAccount, { metadata: { name: "robot", namespace: "default" } } as ServiceAccount);
  expect(read("a")).toBeUndefined();
});
