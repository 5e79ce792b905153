import { type Cases, GOING, READY, type Tale } from "./tale.ts";

const HOST = "web.ns.test";
const NODE = "node-0";
const ADDRESSES = ["10.0.0.2", "10.0.0.3"];

type What = { state: "begun" | "sent" | "reached" | "ended"; address?: string; podUid?: string; status?: number };
type How = { node?: string; method?: string; agent?: number };

function sees(tale: Tale, { podUid, ...what }: What, { node = NODE, method = "GET", agent = 1 }: How = {}): void {
  const pod = podUid === undefined ? {} : { pod: { id: "s", podUid, namespace: "", pod: "", name: "POD" } };
  const heard = node === "edge" ? {} : { heard: { revision: tale.revision, agent } };
  tale.sees({ type: "visit", visit: "1", node, host: HOST, method, ...what, ...pod, ...heard });
}

/** Of two endpoints those that are `ready`. */
const slices = (tale: Tale, ...ready: boolean[]) =>
  tale.put("endpointslices.discovery.k8s.io", "ns/web-1", {
    metadata: { labels: { "kubernetes.io/service-name": "web" } },
    endpoints: ready.map((is, i) => ({ addresses: [ADDRESSES[i]], conditions: { ready: is } })),
    ports: [{ port: 80 }],
  });

/** Two pods that answer; returns the uids. */
function served(tale: Tale): string[] {
  tale.at += 600_000;
  tale.put("services", "ns/web", { spec: { selector: { app: "web" } } });
  const uids = ADDRESSES.map(
    (podIP, i) =>
      tale.put("pods", `ns/p${i}`, { spec: { nodeName: NODE, containers: [] }, status: { ...READY, podIP } }).metadata
        .uid ?? "",
  );
  slices(tale, true, true);
  tale.machines.set(NODE, { running: true, listening: new Map(ADDRESSES.map((address) => [address, tale.at])) });
  tale.at += 600_000;
  return uids;
}

/** One that is sent to the first of them, and fails, by and by. */
function fails(how: How, status = 502, middle: (tale: Tale, uids: string[]) => void = () => {}): (tale: Tale) => void {
  return (tale) => {
    const uids = served(tale);
    sees(tale, { state: "begun" }, how);
    tale.at += 20_000;
    sees(tale, { state: "begun" }, how);
    sees(tale, { state: "sent", address: ADDRESSES[0] ?? "" }, how);
    middle(tale, uids);
    sees(tale, { state: "ended", status }, how);
  };
}

const ends = (tale: Tale, podUid = "") => tale.container(NODE, "c", { podUid, name: "c" }, "exited");

const cutOff = (tale: Tale, [podUid = ""]: string[]) => {
  sees(tale, { state: "reached", podUid }, { method: "POST" });
  tale.put("pods", "ns/p0", { metadata: { ...GOING, deletionGracePeriodSeconds: 1 } });
  ends(tale, podUid);
};

const fault = (what: object) => (tale: Tale) => tale.sees({ type: "fault", fault: JSON.stringify(what) });
const POST = { method: "POST" };
const AT_EDGE = { node: "edge" };

export const routeCases: Cases = {
  "requests-leave-what-is-gone": {
    good: {
      "one that is there": (tale) => {
        served(tale);
        sees(tale, { state: "sent", address: "10.0.0.2" });
      },
      "one that has just gone": (tale) => {
        served(tale);
        sees(tale, { state: "begun" });
        slices(tale, false, true);
        sees(tale, { state: "begun" });
        sees(tale, { state: "sent", address: "10.0.0.2" });
      },
      "the last one, while it ends": (tale) => {
        served(tale);
        sees(tale, { state: "begun" });
        tale.put("endpointslices.discovery.k8s.io", "ns/web-1", {
          endpoints: [{ addresses: ["10.0.0.2"], conditions: { ready: false, serving: true, terminating: true } }],
        });
        sees(tale, { state: "begun" });
        tale.at += 60_000;
        sees(tale, { state: "sent", address: "10.0.0.2" });
      },
      "one by a node whose agent has just begun": (tale) => {
        served(tale);
        sees(tale, { state: "begun" });
        slices(tale, false, true);
        sees(tale, { state: "begun" });
        tale.at += 60_000;
        sees(tale, { state: "sent", address: "10.0.0.2" }, { agent: 2 });
      },
    },
    bad: {
      "one of which the node knows that it has gone": (tale) => {
        served(tale);
        sees(tale, { state: "begun" });
        slices(tale, false, true);
        sees(tale, { state: "begun" });
        tale.at += 60_000;
        sees(tale, { state: "sent", address: "10.0.0.2" });
      },
      "one that has gone, by the edge": (tale) => {
        served(tale);
        sees(tale, { state: "begun" }, AT_EDGE);
        slices(tale, false, true);
        tale.at += 60_000;
        sees(tale, { state: "sent", address: "10.0.0.2" }, AT_EDGE);
      },
    },
  },
  "requests-are-not-repeated": {
    good: {
      "a GET twice": (tale) => {
        for (const podUid of ["a", "b"]) sees(tale, { state: "reached", podUid });
      },
      "a POST that none has taken at first": (tale) => {
        for (const address of ADDRESSES) sees(tale, { state: "sent", address }, POST);
        sees(tale, { state: "reached", podUid: "b" }, POST);
      },
    },
    bad: {
      "a POST twice": (tale) => {
        for (const podUid of ["a", "b"]) sees(tale, { state: "reached", podUid }, POST);
      },
    },
  },
  "requests-find-who-answers": {
    good: {
      "one that is answered": fails({}, 200),
      "one that takes too long": fails({}, 504, (tale) => {
        tale.at += 60_000;
      }),
      "none listens": fails({}, 502, (tale) => tale.machines.set(NODE, { running: true, listening: new Map() })),
      "none is known": fails({}, 503, (tale) => slices(tale, false, false)),
      "those that are there are just going": fails(AT_EDGE, 502, (tale) => {
        for (const name of ["p0", "p1"]) tale.put("pods", `ns/${name}`, { metadata: GOING });
      }),
      "a POST whose program ends": fails(POST, 502, cutOff),
      "the node is cut off": fails({}, 502, fault({ do: "cut", place: NODE, ms: 1_000 })),
      "the edge, after a death": fails(AT_EDGE, 503, (tale) => tale.sees({ type: "rebuilt", why: "", died: true })),
      "what leads there changes": fails({}, 503, (tale) => tale.put("services", "ns/web", { spec: {} })),
    },
    bad: {
      "one of two could answer, at a node, after a death": fails({}, 502, (tale) =>
        tale.sees({ type: "rebuilt", why: "", died: true }),
      ),
      "one of two could answer, at the edge": fails(AT_EDGE, 502),
      "a GET whose program ends": fails({}, 502, (tale, [podUid = ""]) => {
        sees(tale, { state: "reached", podUid });
        ends(tale, podUid);
      }),
      "a POST that no program has had": fails(POST),
    },
  },
  "calm-requests-are-answered": {
    good: {
      "one that is answered": fails({}, 200),
      "none was ready": fails({}, 503, (tale) => {
        slices(tale, false, false);
        slices(tale, true, true);
      }),
      "a POST whose program is ended by force": fails(POST, 502, cutOff),
      "trouble anywhere": fails({}, 502, fault({ do: "weather", ms: 1_000 })),
    },
    bad: {
      "a GET": fails({}),
      "a POST whose program stops": fails(POST, 502, (tale, [podUid = ""]) => {
        sees(tale, { state: "reached", podUid }, POST);
        tale.put("pods", "ns/p0", { metadata: GOING });
        ends(tale, podUid);
      }),
      "one at the edge": fails(AT_EDGE, 503),
    },
  },
};
