import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { describe, expect, test } from "vitest";
import { CertificateSigningRequest } from "../../kinds/certificates/certificate-signing-request.ts";
import { Node } from "../../kinds/core/node.ts";
import { askCertificate } from "../../lib/certificates.ts";
import { timestamp } from "../../lib/effects.ts";
import { Model } from "../testing.ts";
import { type CertificateParts, certificateController, type SigningOrder } from "./certificates.ts";

const HOUR_MS = 3_600_000;
const CLIENT = "kubernetes.io/kube-apiserver-client";
const KUBELET = "kubernetes.io/kube-apiserver-client-kubelet";

async function asked(name: string): Promise<string> {
  const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm });
  return btoa(request.toString("pem"));
}

const jane = await asked("O=devs, CN=jane");
const node = await asked("O=system:nodes, CN=system:node:n1");
const serving = async (commonName: string, dns: string[], ip: string[]) => {
  const subject = { organization: "system:nodes", commonName, names: { dns, ip } };
  return btoa((await askCertificate(subject)).request);
};

function prepared(parts: Partial<CertificateParts> = {}) {
  const orders: SigningOrder[] = [];
  const sign: CertificateParts["sign"] = (_, __, order) => {
    orders.push(order);
    return { certificate: "Q0VSVA==" };
  };
  const model = new Model([certificateController({ sign, may: () => false, ...parts })]);
  const ask = (spec: Partial<CertificateSigningRequest["spec"]> = {}) => {
    const whole = { request: jane, signerName: CLIENT, usages: ["client auth"], ...spec };
    model.create(CertificateSigningRequest, {
      metadata: { name: "a", creationTimestamp: timestamp(model.now) },
      spec: whole,
    } as CertificateSigningRequest);
  };
  const decide = (type: "Approved" | "Denied") => {
    const request = read() as CertificateSigningRequest;
    const condition = { type, status: "True", lastUpdateTime: timestamp(model.now) };
    model.edit(CertificateSigningRequest, request, (copy) => (copy.status = { conditions: [condition] }), "status");
  };
  const read = () => {
    model.rest();
    return model.get(CertificateSigningRequest, "a", "");
  };
  const conditions = () => read()?.status?.conditions?.map(({ type, reason, message }) => ({ type, reason, message }));
  return { model, orders, ask, decide, read, conditions };
}

describe("what was approved is signed", () => {
  test("for the usages that were asked for, and no longer than that", () => {
    const { model, orders, ask, decide, read } = prepared();
    ask({ usages: ["digital signature", "client auth"], expirationSeconds: 3600 });
    expect(read()?.status?.certificate).toBeUndefined();
    decide("Approved");
    expect(read()?.status?.certificate).toBe("Q0VSVA==");
    expect(orders).toEqual([
      {
        pem: jane,
        usages: { key: [0], extended: ["1.3.6.1.5.5.7.3.2"] },
        validity: { notBefore: model.now - HOUR_MS / 12, notAfter: model.now + HOUR_MS },
      },
    ]);
  });

  test.each([
    [{}, "Denied" as const],
    [{ signerName: "example.com/mine" }, "Approved" as const],
  ])("and nothing else: %j, %s", (spec, decision) => {
    const { orders, ask, decide, read } = prepared();
    ask(spec);
    decide(decision);
    expect(read()?.status?.certificate).toBeUndefined();
    expect(orders).toEqual([]);
  });

  test.each([
    [{ usages: ["server auth", "client auth"] }, "invalid usage for client certificate: server auth"],
    [{ usages: ["digital signature"] }, "missing required usage for client certificate: client auth"],
    [{ signerName: KUBELET }, "subject organization is not system:nodes"],
    [{ signerName: KUBELET, request: node }, "usages did not match [client auth digital signature key encipherment]"],
    [
      { signerName: "kubernetes.io/kubelet-serving", request: node, usages: ["digital signature", "server auth"] },
      "DNS or IP subjectAltName is required",
    ],
  ])("unless its signer says no: %j", (spec, message) => {
    const { orders, ask, decide, conditions } = prepared();
    ask(spec);
    decide("Approved");
    expect(conditions()).toContainEqual({ type: "Failed", reason: "SignerValidationFailure", message });
    expect(orders).toEqual([]);
  });

  test("or its key cannot sign", () => {
    const { ask, decide, conditions } = prepared({ sign: () => ({ failed: "no signature" }) });
    ask();
    decide("Approved");
    expect(conditions()?.at(-1)).toMatchObject({ type: "Failed", message: "no signature" });
  });
});

describe("what nodes ask for themselves is approved", () => {
  const spec = { signerName: KUBELET, request: node, usages: ["digital signature", "client auth"] };

  test("where they may", () => {
    const { ask, read } = prepared({ may: (_, subresource) => subresource === "selfnodeclient" });
    ask({ ...spec, username: "system:node:n1" });
    expect(read()?.status).toMatchObject({ conditions: [{ type: "Approved", reason: "AutoApproved" }] });
    expect(read()?.status?.certificate).toBe("Q0VSVA==");
  });

  test("and not where they ask for another, or are people", () => {
    for (const more of [{ username: "system:node:n2" }, { username: "jane", request: jane }]) {
      const { ask, read } = prepared({ may: (_, subresource) => subresource === "selfnodeclient" });
      ask({ ...spec, ...more });
      expect(read()?.status?.conditions ?? []).toEqual([]);
    }
  });
});

describe("what nodes serve at their own addresses is approved", () => {
  const spec = { signerName: "kubernetes.io/kubelet-serving", usages: ["digital signature", "server auth"] };
  const username = "system:node:n1";

  async function asking(request: string, more: object = {}) {
    const { model, ask, read } = prepared();
    const addresses = [
      { type: "Hostname", address: "n1" },
      { type: "InternalIP", address: "192.0.2.1" },
    ];
    model.create(Node, { metadata: { name: "n1" }, spec: {}, status: { addresses } } as Node);
    ask({ ...spec, request, username, ...more });
    return read()?.status;
  }

  test("where they are theirs", async () => {
    const status = await asking(await serving(username, ["n1"], ["192.0.2.1"]));
    expect(status).toMatchObject({
      conditions: [{ type: "Approved", reason: "AutoApproved" }],
      certificate: "Q0VSVA==",
    });
  });

  test("and not where they are others', or another asks", async () => {
    expect(await asking(await serving(username, ["n1", "kubernetes.default"], []))).toEqual({});
    expect(await asking(await serving(username, [], ["192.0.2.2"]))).toEqual({});
    expect(await asking(await serving("system:node:n2", ["n1"], []))).toEqual({});
    expect(await asking(await serving(username, ["n1"], []), { username: "jane" })).toEqual({});
    expect(await asking(await serving(username, ["n1"], []), { usages: ["client auth"] })).toEqual({});
  });
});

describe("requests are cleared away", () => {
  test.each([
    ["Approved", HOUR_MS],
    ["Denied", HOUR_MS],
    [undefined, 24 * HOUR_MS],
  ] as const)("when they are %s for their time", (decision, ms) => {
    const { model, ask, decide, read } = prepared();
    ask();
    if (decision) decide(decision);
    read();
    model.now += ms - 1000;
    expect(read()).toBeDefined();
    model.now += 2000;
    model.driver.due(model.now);
    expect(read()).toBeUndefined();
  });
});
