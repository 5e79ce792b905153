import { beforeAll, describe, expect, test } from "vitest";
import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { createAuthority } from "../../lib/certificates.ts";
import { testCluster } from "../testing/cluster.ts";

const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const merge = { "content-type": "application/merge-patch+json" };
const RBAC = "rbac.authorization.k8s.io";

async function pkcs10(subject: string): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await Pkcs10CertificateRequestGenerator.create({ name: subject, keys, signingAlgorithm: algorithm });
  return btoa(made.toString("pem"));
}

describe("a request for a certificate", async () => {
  const { ask } = await testCluster();
  const signerName = "example.com/signer";
  let request = "";
  beforeAll(async () => {
    request = await pkcs10("CN=jane,O=devs");
  });
  const create = (name: string, spec: object = {}, as: Record<string, string> = {}) =>
    ask("POST", path, { metadata: { name }, spec: { request, signerName, usages: ["client auth"], ...spec } }, as);
  const say = (name: string, endpoint: string, status: object, as: Record<string, string> = {}) =>
    ask("PATCH", `${path}/${name}/${endpoint}`, { status }, { ...merge, ...as });

  test("says who asks, whatever it says of itself, and comes undecided", async () => {
    const { code, body } = await create("who", { username: "someone", groups: ["system:masters"], uid: "1" });
    expect(code).toBe(201);
    expect(body.spec).toMatchObject({
      username: "kubernetes-admin",
      groups: expect.arrayContaining(["system:masters"]),
    });
    expect(body.spec).not.toHaveProperty("uid");
    expect(body.status).toEqual({});
  });

  test.each([
    [{ request: btoa("not a request") }, "spec.request", "PEM block type must be CERTIFICATE REQUEST"],
    [{ usages: [] }, "spec.usages", "Required value"],
    [{ usages: ["spying"] }, "spec.usages[0]", 'Unsupported value: "spying"'],
    [{ usages: ["any", "any"] }, "spec.usages[1]", 'Duplicate value: "any"'],
    [{ signerName: "signer" }, "spec.signerName", "of the form 'example.com/signer-name'"],
    [{ signerName: "kubernetes.io/legacy-unknown" }, "spec.signerName", "the legacy signerName is not allowed"],
    [{ signerName: "local/signer" }, "spec.signerName", "a domain with at least two segments separated by dots"],
    [{ expirationSeconds: 599 }, "spec.expirationSeconds", "may not specify a duration less than 600 seconds"],
  ])("of %j is refused", async (spec, field, message) => {
    const { code, body } = await create("bad", spec);
    expect(code).toBe(422);
    expect(body.details.causes).toEqual([
      expect.objectContaining({ field, message: expect.stringContaining(message) }),
    ]);
  });

  test("is decided at /approval alone, once and for all, with times", async () => {
    await create("decided");
    const approved = { type: "Approved", status: "True", reason: "Known" };
    expect((await say("decided", "status", { conditions: [approved] })).body.message).toContain(
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    );
    const { body } = await say("decided", "approval", { conditions: [approved], certificate: btoa("x") });
    expect(body.status).toEqual({
      conditions: [{ ...approved, lastTransitionTime: "2026-01-02T03:04:05Z", lastUpdateTime: "2026-01-02T03:04:05Z" }],
    });
    expect((await say("decided", "approval", { conditions: [] })).body.message).toContain(
      'updates may not remove a condition of type "Approved"',
    );
    const both = [approved, { type: "Denied", status: "True" }];
    expect((await say("decided", "approval", { conditions: both })).body.message).toContain(
      "Approved and Denied conditions are mutually exclusive",
    );
  });

  test("gets its certificate at /status, once", async () => {
    await create("signed");
    const { certificate } = await createAuthority("signer", Date.UTC(2026, 0, 1));
    expect((await say("signed", "status", { certificate: btoa("nonsense") })).body.message).toContain(
      "must contain at least one CERTIFICATE PEM block",
    );
    expect((await say("signed", "status", { certificate: btoa(certificate) })).code).toBe(200);
    const other = (await createAuthority("other", Date.UTC(2026, 0, 1))).certificate;
    expect((await say("signed", "status", { certificate: btoa(other) })).body.message).toContain(
      "updates may not modify existing certificate content",
    );
    const changed = await ask("PATCH", `${path}/signed`, { spec: { signerName: "example.com/other" } }, merge);
    expect(changed.body.spec.signerName).toBe(signerName);
  });

  test("may be approved and signed by those who may do so for its signer", async () => {
    await create("guarded");
    const rules = [
      { apiGroups: ["certificates.k8s.io"], resources: ["*"], verbs: ["get", "patch"] },
      {
        apiGroups: ["certificates.k8s.io"],
        resources: ["signers"],
        resourceNames: ["example.com/*"],
        verbs: ["approve"],
      },
    ];
    await ask("POST", `/apis/${RBAC}/v1/clusterroles`, { metadata: { name: "approver" }, rules });
    await ask("POST", `/apis/${RBAC}/v1/clusterrolebindings`, {
      metadata: { name: "approver" },
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "approver" },
      subjects: [{ kind: "User", apiGroup: RBAC, name: "ann" }],
    });
    const ann = { "impersonate-user": "ann" };
    const failed = { conditions: [{ type: "Failed", status: "True" }] };
    expect((await say("guarded", "status", failed, ann)).body.message).toBe(
      'certificatesigningrequests.certificates.k8s.io "guarded" is forbidden: user not permitted to sign requests with signerName "example.com/signer"',
    );
    const denied = { conditions: [{ type: "Denied", status: "True" }] };
    expect((await say("guarded", "approval", denied, ann)).code).toBe(200);
    await create("foreign", { signerName: "other.example.com/signer" });
    expect((await say("foreign", "approval", denied, ann)).code).toBe(403);
  });

  test("cannot ask to be an administrator of the API", async () => {
    const spec = {
      request: await pkcs10("CN=eve,O=system:masters"),
      signerName: "kubernetes.io/kube-apiserver-client",
    };
    expect((await create("eve", spec)).body.message).toContain(
      "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
    );
  });
});
