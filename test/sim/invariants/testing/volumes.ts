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

/** A pod writes to the volume on a node. */
const writes = (tale: Tale, node: string, found: string, left: string) =>
  tale.sees({ type: "data", node, volume: "v", found, left });

const moves = (tale: Tale, annotations: Record<string, string>) =>
  tale.put(VOLUMES, "/v", {
    metadata: { annotations: { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", ...annotations } },
  });

const rests = (tell: (tale: Tale) => void) => (tale: Tale) => {
  tell(tale);
  tale.rests();
};

const FOLDER = "/volumes/v_ns_data";
const inBucket = {
  "skerry.dev/moving-to": "b/v_ns_data.x",
  "skerry.dev/transfer": "x",
  "skerry.dev/transferred": "true",
};

/** A pod has left something in a volume of node-0, which lies in these places, where something is removed. */
const removes = (tale: Tale, annotations: Record<string, string>, ...places: string[]) => {
  tale.copies = places.map((place) => ({ place, folder: FOLDER, volume: "v", data: "1" }));
  bound(tale);
  writes(tale, NODE, "", "1");
  moves(tale, { "skerry.dev/node": NODE, ...annotations });
  tale.sees({ type: "removal", node: NODE, folder: FOLDER, users: [] });
};

const loses = (tale: Tale, fault: string) =>
  tale.sees({ type: "fault", fault: JSON.stringify({ do: fault, node: 0 }) });

const kept = (tale: Tale, annotations: Record<string, string>) => {
  bound(tale);
  moves(tale, annotations);
  tale.bucket = ["default/transfers/v/x/index"];
};

export const volumeCases: Cases = {
  "volumes-are-whole-somewhere": {
    good: {
      "one that is in the bucket": (tale) => removes(tale, inBucket, "bucket"),
      "one that a lost disk had alone": (tale) => {
        bound(tale);
        writes(tale, NODE, "", "1");
        loses(tale, "lose-disk");
        tale.sees({ type: "removal", node: NODE, folder: FOLDER, users: [] });
      },
      "one that is to go": (tale) => {
        letGo(tale);
        writes(tale, NODE, "", "1");
        tale.sees({ type: "removal", node: NODE, folder: FOLDER, users: [] });
      },
    },
    bad: {
      "one that lies nowhere": (tale) => removes(tale, {}),
      "one that the bucket had when a disk was lost": (tale) => {
        removes(tale, inBucket, "bucket");
        loses(tale, "lose-disk");
        tale.copies = [];
        tale.sees({ type: "bucket", volume: "v", key: "default/transfers/v/x/index" });
      },
    },
  },
  "volumes-are-served-by-one-node": {
    good: {
      "the one that it lies on": (tale) => {
        bound(tale);
        writes(tale, NODE, "", "1");
      },
      "one whose disk was put back": (tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/node": "b" });
        loses(tale, "restore");
        writes(tale, NODE, "", "1");
      },
    },
    bad: {
      another: (tale) => {
        bound(tale);
        writes(tale, "b", "", "1");
      },
      "any while the bucket has it": (tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/node": NODE, ...inBucket });
        writes(tale, NODE, "", "1");
      },
    },
  },
  "rest-bucket-is-empty": {
    good: {
      "a copy that a node which is away is to remove": rests((tale) =>
        kept(tale, { "skerry.dev/left-on": "b/v_ns_data", "skerry.dev/transfer": "x" }),
      ),
    },
    bad: {
      "a copy that nobody knows of": rests((tale) => kept(tale, {})),
      "a copy that a node is to remove": rests((tale) =>
        kept(tale, { "skerry.dev/left-on": `${NODE}/v_ns_data`, "skerry.dev/transfer": "x" }),
      ),
    },
  },
  "volumes-go-after-their-data": {
    good: {
      "one whose data was removed": (tale) => {
        letGo(tale, "u,v");
        remove(tale);
      },
      "one that moves, once the other node has the data": (tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/moving-to": `${NODE}/v_x` });
        tale.put("nodes", `/${NODE}`, { metadata: { annotations: { "skerry.dev/volumes-received": "v_x" } } });
        tale.drop(VOLUMES, "/v");
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
      "one that moves before the data": (tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/moving-to": `${NODE}/v_x` });
        tale.drop(VOLUMES, "/v");
      },
      "one that is still bound": (tale) => {
        bound(tale);
        remove(tale);
      },
    },
  },
  "volumes-go-after-their-pods": {
    good: { "one that no pod has": (tale) => tale.sees({ type: "removal", node: "a", folder: "/v", users: [] }) },
    bad: { "one that a pod has": (tale) => tale.sees({ type: "removal", node: "a", folder: "/v", users: ["u"] }) },
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
  "volumes-keep-their-data": {
    good: {
      "what was left there, also on another node": (tale) => {
        writes(tale, "a", "", "1");
        writes(tale, "a", "1", "2");
        writes(tale, "b", "2", "3");
      },
      "a disk that was lost": (tale) => {
        tale.machines.set("a", { running: true });
        writes(tale, "a", "", "1");
        tale.sees({ type: "fault", fault: JSON.stringify({ do: "lose-disk", node: 0 }) });
        writes(tale, "a", "", "2");
      },
    },
    bad: {
      "an empty one": (tale) => {
        writes(tale, "a", "", "1");
        writes(tale, "b", "", "2");
      },
      "what was there before the last": (tale) => {
        writes(tale, "a", "", "1");
        writes(tale, "b", "1", "2");
        writes(tale, "a", "1", "3");
      },
      "nothing, though another's disk was lost": (tale) => {
        tale.machines.set("b", { running: true });
        writes(tale, "a", "", "1");
        tale.sees({ type: "fault", fault: JSON.stringify({ do: "lose-disk", node: 0 }) });
        writes(tale, "a", "", "2");
      },
    },
  },
  "rest-moves-are-over": {
    good: {
      "one that is where it is to be": rests((tale) => bound(tale)),
      "one that a pod has": rests((tale) => {
        bound(tale);
        tale.machines.set("b", { running: true });
        moves(tale, { "skerry.dev/move-to": "b" });
        const volumes = [{ name: "d", persistentVolumeClaim: { claimName: "data" } }];
        tale.put("pods", "ns/p", { spec: { nodeName: NODE, containers: [], volumes } });
      }),
      "one on its way to a node that is down": rests((tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/move-to": "b", "skerry.dev/moving-to": "b/v_x" });
      }),
    },
    bad: {
      "one on its way": rests((tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/moving-to": `${NODE}/v_x` });
      }),
      "what it has left": rests((tale) => {
        bound(tale);
        moves(tale, { "skerry.dev/left-on": `${NODE}/v_x` });
      }),
      "one that nothing is in the way of": rests((tale) => {
        bound(tale);
        tale.machines.set("b", { running: true });
        moves(tale, { "skerry.dev/move-to": "b" });
      }),
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
