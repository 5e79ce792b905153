import { beforeEach, describe, expect, test } from "vitest";
import { Node } from "../../kinds/core/node.ts";
import { Secret } from "../../kinds/core/secret.ts";
import { Service } from "../../kinds/core/service.ts";
import type { NetworkingV1Ingress } from "../../kinds/generated/types.ts";
import { CLASS_NAME, CONTROLLER, NODE_CONDITION, SCOPE_ANNOTATION } from "../../kinds/ingress/class.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { IngressClass } from "../../kinds/networking/ingress-class.ts";
import { Model } from "../testing.ts";
import { ingressController } from "./problems.ts";
import { ingressStatusController } from "./status.ts";

let cluster: Model;
beforeEach(() => {
  cluster = new Model([ingressController, ingressStatusController]);
  cluster.create(IngressClass, {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: CLASS_NAME },
    spec: { controller: CONTROLLER },
  } as IngressClass);
});

const make = (spec: Partial<NetworkingV1Ingress["spec"]>, annotations?: Record<string, string>): Ingress =>
  cluster.create(Ingress, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "default", ...(annotations && { annotations }) },
    spec: { ingressClassName: CLASS_NAME, ...spec },
  } as Ingress);

const backend = (name: string, port: number | string = 80) => ({
  service: { name, port: typeof port === "number" ? { number: port } : { name: port } },
});

function addNode(name: string, address: string, listens: boolean, external?: string): void {
  cluster.addNode(name);
  cluster.edit(
    Node,
    { metadata: { name }, spec: {} } as Node,
    (node) => {
      node.status = {
        ...node.status,
        addresses: [
          { type: "InternalIP", address },
          ...(external ? [{ type: "ExternalIP", address: external }] : []),
          { type: "Hostname", address: name },
        ],
        conditions: [...(node.status?.conditions ?? []), { type: NODE_CONDITION, status: listens ? "True" : "False" }],
      };
    },
    "status",
  );
}

const addresses = () => cluster.get(Ingress, "web")?.status?.loadBalancer?.ingress;
const events = () => cluster.events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);

describe("where it can be reached", () => {
  test("at the nodes that are ready and listen, at their outer address if they have one", () => {
    addNode("b", "192.0.2.2", true);
    addNode("a", "10.0.0.1", true, "192.0.2.1");
    addNode("c", "192.0.2.3", false);
    make({ defaultBackend: backend("web") });
    cluster.rest();
    expect(addresses()).toEqual([{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }]);
    cluster.setNodeReady("b", "Unknown");
    cluster.rest();
    expect(addresses()).toEqual([{ ip: "192.0.2.1" }]);
    cluster.delete(Node, { metadata: { name: "a" } });
    cluster.rest();
    expect(addresses()).toBeUndefined();
  });

  test("nowhere on the network where it is for the edge alone, and another controller's is let be", () => {
    addNode("a", "192.0.2.1", true);
    const ingress = make({ defaultBackend: backend("web") });
    cluster.rest();
    expect(addresses()).toEqual([{ ip: "192.0.2.1" }]);
    cluster.edit(Ingress, ingress, (copy) => {
      copy.metadata.annotations = { [SCOPE_ANNOTATION]: "edge" };
    });
    cluster.rest();
    expect(addresses()).toBeUndefined();
    cluster.edit(Ingress, ingress, (copy) => {
      copy.spec.ingressClassName = "other";
      copy.metadata.annotations = {};
    });
    cluster.rest();
    expect(addresses()).toBeUndefined();
  });
});

describe("what cannot be served is told", () => {
  const service = (name: string, port: number) =>
    cluster.create(Service, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "default" },
      spec: { ports: [{ name: "http", port }] },
    } as Service);

  test("a Service or port that is not there, once, and again when another one is wrong", () => {
    const ingress = make({ defaultBackend: backend("web"), rules: [] });
    cluster.rest();
    expect(events()).toEqual(['Warning ServiceNotFound: service "default/web" does not exist']);
    const made = service("web", 81);
    cluster.rest();
    expect(events()).toContain('Warning ServicePortNotFound: service "default/web" has no TCP port 80');
    cluster.edit(Service, made, (copy) => {
      copy.spec.ports = [{ name: "http", port: 80 }];
    });
    cluster.rest();
    const before = cluster.events.length;
    cluster.edit(Ingress, ingress, (copy) => {
      copy.spec.defaultBackend = backend("web", "http");
    });
    cluster.edit(Service, made, (copy) => {
      copy.metadata.labels = { of: "no concern" };
    });
    cluster.rest();
    expect(cluster.events).toHaveLength(before);
  });

  test("certificates that are missing, of another type, or none; and backends that are no Services", () => {
    const secret = (name: string, type: string, crt: string) =>
      cluster.create(Secret, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace: "default" },
        type,
        data: { "tls.crt": btoa(crt), "tls.key": btoa("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----") },
      } as unknown as Secret);
    const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    secret("opaque", "Opaque", pem);
    secret("broken", "kubernetes.io/tls", "nonsense");
    secret("good", "kubernetes.io/tls", pem);
    const resource = { apiGroup: "example.com", kind: "Bucket", name: "b" };
    make({
      tls: ["missing", "opaque", "broken", "good"].map((secretName) => ({ hosts: ["a.com"], secretName })),
      rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend: { resource } }] } }],
    });
    cluster.rest();
    expect(events().toSorted()).toEqual([
      'Warning InvalidCertificate: secret "default/broken" has no certificate in PEM in tls.crt',
      'Warning InvalidCertificate: secret "default/opaque" is of type Opaque, not kubernetes.io/tls',
      'Warning ResourceBackendNotSupported: Bucket "b": only Services can be backends',
      'Warning SecretNotFound: secret "default/missing" does not exist',
    ]);
  });

  test("nothing of Ingresses that are another controller's", () => {
    make({ ingressClassName: "nginx", defaultBackend: backend("web") });
    cluster.rest();
    expect(events()).toEqual([]);
  });
});
