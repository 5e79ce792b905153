import { type Cases, GOING, type Tale } from "./tale.ts";

const CLAIMS = "persistentvolumeclaims";
const VOLUMES = "persistentvolumes";
const NODE = "node-0";

/** A claim with its volume on a node, in this phase. */
function bound(tale: Tale, phase = "Bound"): void {
  tale.machines.set(NODE, { running: true });
  tale.put("nodes", `/${NODE}`);
  const { uid } = tale.put(CLAIMS, "ns/data").metadata;
  const annotations = { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", "skerry.dev/node": NODE };
  const spec = { persistentVolumeReclaimPolicy: "Delete", claimRef: { namespace: "ns", name: "data", uid } };
  tale.put(VOLUMES, "/v", { metadata: { annotations }, spec, status: { phase } });
  tale.put(CLAIMS, "ns/data", { spec: { volumeName: "v" } });
}

/** The claim has gone, and the node has said this of what it has removed. */
function letGo(tale: Tale, removed?: string): void {
  bound(tale);
  tale.drop(CLAIMS, "ns/data");
  tale.put(VOLUMES, "/v", { status: { phase: "Released" } });
  if (removed) tale.put("nodes", `/${NODE}`, { metadata: { annotations: { "skerry.dev/volumes-removed": removed } } });
}

const remove = (tale: Tale) => {
  tale.put(VOLUMES, "/v", { metadata: GOING });
  tale.drop(VOLUMES, "/v");
};

const rests = (tell: (tale: Tale) => void) => (tale: Tale) => {
  tell(tale);
  tale.rests();
};

export const volumeCases: Cases = {
  "volumes-go-after-their-data": {
    good: {
      "one whose data was removed": (tale) => {
        letGo(tale, "u,v");
        remove(tale);
      },
      "one whose node is gone": (tale) => {
        letGo(tale);
        tale.drop("nodes", `/${NODE}`);
        remove(tale);
      },
    },
    bad: {
      "one whose node has said nothing": (tale) => {
        letGo(tale, "u");
        remove(tale);
      },
      "one that is still bound": (tale) => {
        bound(tale);
        remove(tale);
      },
    },
  },
  "claims-keep-their-volumes": {
    good: { "one that is bound": (tale) => bound(tale) },
    bad: {
      "one that changes it": (tale) => {
        bound(tale);
        tale.put(CLAIMS, "ns/data", { spec: { volumeName: "w" } });
      },
      "one that has another's": (tale) => {
        bound(tale);
        tale.put(CLAIMS, "ns/other", { spec: { volumeName: "v" } });
      },
    },
  },
  "rest-volumes-have-claims": {
    good: {
      "one that is bound": rests((tale) => bound(tale)),
      "one whose node is down": rests((tale) => {
        letGo(tale);
        tale.machines.set(NODE, { running: false });
      }),
    },
    bad: {
      "one that was let go": rests((tale) => letGo(tale)),
      "one that was not told of its claim": rests((tale) => bound(tale, "Available")),
      "one whose claim is gone": rests((tale) => {
        bound(tale);
        tale.drop(CLAIMS, "ns/data");
      }),
    },
  },
};
