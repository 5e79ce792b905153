import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeObject } from "../decode.ts";
import { builtinKinds } from "../registry.ts";
import { decodeProtobuf, encodeProtobuf, ProtobufError } from "./envelope.ts";
import goSamples from "./go-samples.json" with { type: "json" };
import samples from "./samples.json" with { type: "json" };

const kinds = builtinKinds();
const bytes = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** What kubectl 1.35 sent, decoded and brought to normal form, as any other body is. */
function body(name: keyof typeof samples) {
  const object = decodeProtobuf(bytes(samples[name]));
  const kind = kinds.byKind(String(object.apiVersion), String(object.kind));
  if (kind) decodeObject(kind, object, "Strict");
  return object;
}

describe("bodies of kubectl 1.35", () => {
  test("create deployment", () => {
    expect(body("deployments")).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "default", labels: { app: "web" } },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: "web" } },
        strategy: {},
        template: {
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "nginx", image: "nginx", ports: [{ containerPort: 80 }], resources: {} }] },
        },
      },
      status: {},
    });
  });

  test("create configmap, and secret with its bytes as base64", () => {
    expect(body("configmaps")).toMatchObject({ metadata: { name: "a" }, data: { k: "v" } });
    expect(body("secrets")).toMatchObject({ data: { p: "cQ==" } });
  });

  test("create service: a port by name, and no port that was never given", () => {
    expect(body("services")).toMatchObject({
      spec: {
        type: "NodePort",
        selector: { app: "n" },
        ports: [{ name: "80-http", protocol: "TCP", port: 80, targetPort: "http" }],
      },
    });
  });

  test("create quota, pdb, ingress, rolebinding", () => {
    expect(body("resourcequotas")).toMatchObject({ spec: { hard: { cpu: "500m", pods: "5" } } });
    expect(body("poddisruptionbudgets")).toMatchObject({ spec: { minAvailable: "50%" } });
    expect(body("ingresses")).toMatchObject({
      spec: {
        rules: [
          {
            host: "a.b",
            http: {
              paths: [{ path: "/c", pathType: "Prefix", backend: { service: { name: "svc", port: { number: 80 } } } }],
            },
          },
        ],
      },
    });
    expect(body("rolebindings")).toMatchObject({
      roleRef: { kind: "Role", name: "r" },
      subjects: [{ kind: "User", name: "jane" }],
    });
  });

  test("reviews, and the body of a subresource", () => {
    expect(body("selfsubjectaccessreviews")).toMatchObject({
      spec: { resourceAttributes: { verb: "get", resource: "pods" } },
    });
    expect(body("token")).toMatchObject({
      kind: "TokenRequest",
      spec: { expirationSeconds: 600, boundObjectRef: { kind: "Pod", name: "p" } },
    });
  });
});

describe("bytes of Go's encoder (k8s.io/api and apiextensions-apiserver 0.35.4)", () => {
  const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const normal = (object: Record<string, unknown>) => {
    const kind = kinds.byKind(String(object.apiVersion), String(object.kind));
    if (kind) decodeObject(kind, object, "Strict");
    return object;
  };

  test.each(goSamples.map((sample) => [sample.object.kind, sample] as const))("%s", (_, { protobuf, object }) => {
    expect(normal(decodeProtobuf(fromHex(protobuf)))).toEqual(normal(structuredClone(object)));
    expect(normal(decodeProtobuf(encodeProtobuf(object)))).toEqual(normal(structuredClone(object)));
  });
});

describe("bytes by hand", () => {
  const text = (value: string) => [...new TextEncoder().encode(value)];
  const field = (number: number, content: number[]) => [number * 8 + 2, content.length, ...content];
  const wrap = (apiVersion: string, kind: string, raw: number[]) =>
    Uint8Array.from([
      0x6b,
      0x38,
      0x73,
      0,
      ...field(1, [...field(1, text(apiVersion)), ...field(2, text(kind))]),
      ...field(2, raw),
    ]);

  test("DeleteOptions come in the group of what they delete; negative numbers and zeros of pointers are kept", () => {
    const options = [8, 0];
    expect(decodeProtobuf(wrap("apps/v1", "DeleteOptions", options))).toMatchObject({
      kind: "DeleteOptions",
      gracePeriodSeconds: 0,
    });
    const minusOne = [8, ...Array(9).fill(0xff), 1];
    expect(decodeProtobuf(wrap("v1", "DeleteOptions", minusOne))).toMatchObject({ gracePeriodSeconds: -1 });
  });

  test("numbers of a list may come packed", () => {
    const groups = field(2, field(14, field(4, [1, 0x96, 1])));
    expect(decodeProtobuf(wrap("v1", "Pod", groups))).toMatchObject({
      spec: { securityContext: { supplementalGroups: [1, 150] } },
    });
  });

  test("a document that says nothing of its type is what was expected", () => {
    const document = Uint8Array.from([0x6b, 0x38, 0x73, 0, ...field(2, [])]);
    expect(decodeProtobuf(document, { apiVersion: "v1", kind: "Pod" })).toEqual({ apiVersion: "v1", kind: "Pod" });
    expect(() => decodeProtobuf(document)).toThrow(ProtobufError);
  });

  test("times have whole seconds, micro times six digits", () => {
    const seconds = [8, 0x80, 0x94, 0xeb, 0xdc, 3];
    const lease = field(2, field(4, [...seconds, 16, 0xe8, 0x07]));
    expect(decodeProtobuf(wrap("coordination.k8s.io/v1", "Lease", lease))).toMatchObject({
      spec: { renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000001Z$/) },
    });
  });

  test("a key that means something to JavaScript is a key", () => {
    const entry = field(2, [...field(1, text("__proto__")), ...field(2, text("v"))]);
    const { data } = decodeProtobuf(wrap("v1", "ConfigMap", entry)) as { data: object };
    expect(Object.entries(data)).toEqual([["__proto__", "v"]]);
  });

  test("unknown kinds, no magic, and cut messages are told apart from anything else", () => {
    expect(() => decodeProtobuf(wrap("v1", "Nothing", []))).toThrow('no kind "Nothing" is registered for version "v1"');
    expect(() => decodeProtobuf(Uint8Array.from([1, 2, 3]))).toThrow(ProtobufError);
    expect(() => decodeProtobuf(bytes(samples.deployments).subarray(0, 60))).toThrow("unexpected EOF");
  });

  test("whatever the bytes, there is an object or a ProtobufError", () => {
    const sample = bytes(samples.ingresses);
    const change = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(change, (changes) => {
        const bent = sample.slice();
        for (const [at, byte] of changes) bent[at] = byte;
        bent.set(sample.subarray(0, 4));
        try {
          decodeProtobuf(bent);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
