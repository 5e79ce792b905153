import type { Cases, Tale } from "./tale.ts";

const POLICIES = "networkpolicies.networking.k8s.io";
const WEB = { app: "web" };

const policy = (tale: Tale) =>
  tale.put(POLICIES, "ns/p", {
    spec: { podSelector: { matchLabels: WEB }, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] },
  });

const pod = (tale: Tale, labels: Record<string, string> = WEB, status: object = {}) =>
  tale.put("pods", "ns/w", { metadata: { labels }, spec: { nodeName: "n", containers: [] }, status }).metadata.uid ??
  "";

/** The node has made the pod's network under these policies. */
const begins = (tale: Tale, podUid: string, ...policies: string[]) =>
  tale.sees({
    type: "container",
    node: "n",
    container: { id: "s", podUid, namespace: "", pod: "", name: "POD", ip: "10.0.0.2" },
    state: "running",
    policies,
  });

const RULES =
  'rules ns/p {"podSelector":{"matchLabels":{"app":"web"}},"ingress":[{"peers":[{"kind":"pods","set":"ns {}"}]}]}';
const PEERS = 'peers n/ns {} {"members":["10.0.0.2"]}';

const rests =
  (...policies: string[]) =>
  (tale: Tale) => {
    policy(tale);
    pod(tale, WEB, { podIP: "10.0.0.2" });
    tale.machines.set("n", { running: true, policies });
    tale.rests();
  };

export const policyCases: Cases = {
  "pods-start-under-their-policies": {
    good: {
      "one that the node holds it to": (tale) => {
        policy(tale);
        begins(tale, pod(tale), "ns/p");
      },
      "one that came after it was bound": (tale) => {
        const uid = pod(tale);
        policy(tale);
        begins(tale, uid);
      },
      "one that does not select it": (tale) => {
        policy(tale);
        begins(tale, pod(tale, { app: "other" }));
      },
    },
    bad: {
      "one that was there before, and is not held to": (tale) => {
        policy(tale);
        begins(tale, pod(tale));
      },
    },
  },
  "rest-nodes-have-policies": {
    good: { "a node that has rules, and who is in their sets": rests(RULES, PEERS) },
    bad: {
      "a node that lacks a set": rests(RULES),
      "a node that lacks rules": rests(PEERS),
      "a node that has more than it should": rests(RULES, PEERS, 'peers m/ns {} {"members":["10.0.1.2"]}'),
      "a node whose set is another": rests(RULES, 'peers n/ns {} {"members":["10.0.0.3"]}'),
    },
  },
};
