import { type Cases, READY, type Tale } from "./tale.ts";

const HOST = "web.ns.test";
const NODE = "node-0";
const APP = { app: "web" };

const said = (tale: Tale, state: "begun" | "ended", status = 200) =>
  tale.sees({
    type: "visit",
    visit: "1",
    node: NODE,
    host: HOST,
    method: "GET",
    state,
    ...(state === "ended" && { status }),
  });

const reached = (tale: Tale, podUid: string) => {
  const pod = { id: "s", podUid, namespace: "", pod: "", name: "POD", ip: "10.0.0.2" };
  tale.sees({ type: "visit", visit: "1", node: NODE, host: HOST, method: "GET", state: "reached", pod });
};

const node = (tale: Tale, status = "True") =>
  tale.put("nodes", `/${NODE}`, { status: { conditions: [{ type: "Ready", status }] } });

const deployed = (tale: Tale, replicas: number, from?: string) =>
  tale.put("deployments.apps", "ns/web", {
    metadata: { annotations: from ? { "skerry.dev/scaled-from": from } : {} },
    spec: { replicas },
  });

const served = (tale: Tale) => tale.put("services", "ns/web", { spec: { selector: APP } });

const pod = (tale: Tale, labels: Record<string, string> = APP) =>
  tale.put("pods", "ns/p", { metadata: { labels }, spec: { nodeName: NODE, containers: [] }, status: READY }).metadata
    .uid ?? "";

/** Whoever asks waits for what sleeps, for a minute. */
function waits(tale: Tale, middle: (tale: Tale) => void = () => {}): void {
  node(tale);
  served(tale);
  deployed(tale, 1);
  deployed(tale, 0, "1");
  tale.at += 600_000;
  said(tale, "begun");
  middle(tale);
  tale.at += 60_000;
  said(tale, "ended", 503);
}

const slices = (tale: Tale, ...ready: boolean[]) =>
  tale.put("endpointslices.discovery.k8s.io", "ns/web-1", {
    metadata: { labels: { "kubernetes.io/service-name": "web" } },
    endpoints: ready.map((is, i) => ({ addresses: [`10.0.0.${i + 2}`], conditions: { ready: is } })),
    ports: [{ port: 80 }],
  });

const rests =
  (...led: string[]) =>
  (tale: Tale) => {
    node(tale);
    slices(tale, true, false);
    tale.machines.set(NODE, { running: true, backends: new Map([["ns/web", led]]) });
    tale.rests();
  };

function routed(tale: Tale): void {
  served(tale);
  const backend = { service: { name: "web", port: { number: 80 } } };
  tale.put("ingresses.networking.k8s.io", "ns/web", {
    spec: { rules: [{ host: HOST, http: { paths: [{ backend }] } }] },
  });
}

function leads(tale: Tale, ...addresses: string[]): void {
  routed(tale);
  slices(tale, true, false);
  tale.sees({ type: "led", host: HOST, addresses });
}

export const visitCases: Cases = {
  "held-requests-end": {
    good: {
      "one that ends": (tale) => {
        said(tale, "begun");
        tale.at += 100_000;
        said(tale, "ended");
        tale.at += 100_000;
        tale.put("configmaps", "ns/c");
      },
      "one on a machine that stands still": (tale) => {
        tale.machines.set(NODE, { running: true });
        said(tale, "begun");
        tale.sees({ type: "fault", fault: JSON.stringify({ do: "freeze", node: 0, ms: 400_000 }) });
        tale.at += 300_000;
        tale.put("configmaps", "ns/c");
      },
    },
    bad: {
      "one that does not": (tale) => {
        said(tale, "begun");
        tale.at += 200_000;
        tale.put("configmaps", "ns/c");
      },
    },
  },
  "requests-reach-their-service": {
    good: {
      "a pod of it": (tale) => {
        node(tale);
        served(tale);
        reached(tale, pod(tale));
      },
      "one that has just left it": (tale) => {
        node(tale);
        served(tale);
        pod(tale);
        tale.at += 600_000;
        reached(tale, pod(tale, {}));
      },
      "another's, by a node that hears nothing": (tale) => {
        node(tale, "Unknown");
        served(tale);
        reached(tale, pod(tale, {}));
      },
    },
    bad: {
      "another's pod": (tale) => {
        node(tale);
        served(tale);
        reached(tale, pod(tale, {}));
      },
      "one that is no more of it": (tale) => {
        node(tale);
        served(tale);
        pod(tale);
        const uid = pod(tale, {});
        tale.at += 600_000;
        reached(tale, uid);
      },
    },
  },
  "held-requests-wake": {
    good: {
      "one that wakes it": (tale) => waits(tale, () => deployed(tale, 1)),
      "one that is answered": (tale) => {
        waits(tale, () => said(tale, "ended"));
      },
      "one in trouble": (tale) =>
        waits(tale, () => tale.sees({ type: "fault", fault: JSON.stringify({ do: "refuse", ms: 60_000 }) })),
    },
    bad: { "one that waits in vain": (tale) => waits(tale) },
  },
  "asleep-only-unasked": {
    good: {
      "nobody asks": (tale) => {
        node(tale);
        said(tale, "begun");
        said(tale, "ended");
        deployed(tale, 2);
        tale.at += 60_000;
        deployed(tale, 0, "2");
      },
      "somebody asks a node that is lost": (tale) => {
        node(tale, "Unknown");
        said(tale, "begun");
        deployed(tale, 2);
        tale.at += 60_000;
        deployed(tale, 0, "2");
      },
      "a user says so": (tale) => {
        node(tale);
        said(tale, "begun");
        deployed(tale, 2);
        tale.at += 60_000;
        deployed(tale, 0);
      },
    },
    bad: {
      "somebody waits for an answer": (tale) => {
        node(tale);
        said(tale, "begun");
        deployed(tale, 2);
        tale.at += 60_000;
        deployed(tale, 0, "2");
      },
    },
  },
  "rest-backends-follow-endpoints": {
    good: {
      "those that are ready": rests("10.0.0.2:80"),
      "those that are ready, at the edge": (tale) => leads(tale, "10.0.0.2"),
    },
    bad: {
      "a node that leads nobody": (tale) => {
        routed(tale);
        node(tale);
        tale.machines.set(NODE, { running: true });
        tale.rests();
      },
      "none, at the edge": (tale) => leads(tale),
      "one that is not ready": rests("10.0.0.2:80", "10.0.0.3:80"),
      none: rests(),
      "a request that has no end": (tale) => {
        said(tale, "begun");
        tale.rests();
      },
    },
  },
};
