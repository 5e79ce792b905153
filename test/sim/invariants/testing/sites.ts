import type { Cases, Tale } from "./tale.ts";

const ZONE = "topology.kubernetes.io/zone";
const at = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, "");

function node(tale: Tale, name: string, ready: string, zone = "a"): void {
  const conditions = [{ type: "Ready", status: ready, lastTransitionTime: at(tale.at) }];
  tale.machines.set(name, { running: true });
  tale.put("nodes", `/${name}`, { metadata: { labels: { [ZONE]: zone } }, status: { conditions } });
}

const givesUp = (tale: Tale, name: string) =>
  tale.put("nodes", `/${name}`, {
    spec: { taints: [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: at(tale.at) }] },
  });

const policies = (tale: Tale, data: Record<string, string>) =>
  tale.put("configmaps", "kube-system/site-policies", { data });

/** So many nodes of zone a, the first of which are lost, and a well one of zone b. */
function nodes(tale: Tale, count: number, lost: number): void {
  for (let i = 0; i < count; i++) node(tale, `n${i}`, i < lost ? "Unknown" : "True");
  node(tale, "other", "True", "b");
}

const passes = (tale: Tale, ms: number) => {
  for (const end = tale.at + ms; tale.at < end; tale.at += 10_000) tale.put("configmaps", "ns/c");
};

export const siteCases: Cases = {
  "sites-are-waited-for": {
    good: {
      "one after the other": (tale) => {
        nodes(tale, 3, 2);
        givesUp(tale, "n0");
        tale.at += 10_000;
        givesUp(tale, "n1");
      },
      "all of a zone, while another is well": (tale) => {
        nodes(tale, 1, 1);
        givesUp(tale, "n0");
      },
      "a site whose time is over": (tale) => {
        policies(tale, { a: "2m" });
        nodes(tale, 2, 1);
        tale.at += 121_000;
        givesUp(tale, "n0");
      },
      "a policy that nobody can read": (tale) => {
        policies(tale, { a: "soon" });
        nodes(tale, 2, 1);
        givesUp(tale, "n0");
      },
    },
    bad: {
      "all at once": (tale) => {
        nodes(tale, 3, 2);
        givesUp(tale, "n0");
        givesUp(tale, "n1");
      },
      "while all nodes are lost": (tale) => {
        node(tale, "n0", "Unknown");
        givesUp(tale, "n0");
      },
      "while most of a zone are lost": (tale) => {
        nodes(tale, 4, 3);
        givesUp(tale, "n0");
      },
      "a site whose time is not over": (tale) => {
        policies(tale, { default: "2m" });
        nodes(tale, 2, 1);
        tale.at += 60_000;
        givesUp(tale, "n0");
      },
      "a site that is never given up": (tale) => {
        policies(tale, { a: "Never", default: "30s" });
        nodes(tale, 2, 1);
        tale.at += 6_000_000;
        givesUp(tale, "n0");
      },
    },
  },
  "lost-nodes-are-given-up": {
    good: {
      "one that is": (tale) => {
        nodes(tale, 2, 1);
        passes(tale, 30_000);
        givesUp(tale, "n0");
        passes(tale, 200_000);
      },
      "one whose site is waited for": (tale) => {
        policies(tale, { a: "Never" });
        nodes(tale, 2, 1);
        passes(tale, 200_000);
      },
      "one while all are lost": (tale) => {
        node(tale, "n0", "Unknown");
        passes(tale, 200_000);
      },
    },
    bad: {
      "one that is not": (tale) => {
        nodes(tale, 2, 1);
        passes(tale, 200_000);
      },
    },
  },
};
