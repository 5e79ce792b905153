import type { Cases, Tale } from "./tale.ts";

const ATTACHMENTS = "volumeattachments.storage.k8s.io";
const NAME = "kubernetes.io/csi/disks^h";
const at = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, "");

function node(tale: Tale, name: string, told: readonly string[] = [], ready = "True"): void {
  const conditions = [{ type: "Ready", status: ready, lastTransitionTime: at(tale.at) }];
  tale.machines.set(name, { running: true });
  tale.put("nodes", `/${name}`, { status: { conditions, volumesAttached: told.map((volume) => ({ name: volume })) } });
}

const attach = (tale: Tale, name: string, attached = true) =>
  tale.put(ATTACHMENTS, `/v-${name}`, {
    spec: { attacher: "disks", nodeName: name, source: { persistentVolumeName: "v" } },
    status: { attached },
  });

const mount = (tale: Tale, mounted: boolean) =>
  tale.sees({ type: "mount", node: "a", volume: "v", podUid: "u", mounted });

/** A volume that is mounted on a node. */
function used(tale: Tale): void {
  node(tale, "a");
  attach(tale, "a");
  mount(tale, true);
}

/** A volume that a pod has on a node, which says that it has those. */
function wanted(tale: Tale, told: readonly string[] = [NAME]): void {
  const claimRef = { namespace: "ns", name: "data" };
  const volumes = [{ name: "d", persistentVolumeClaim: { claimName: "data" } }];
  tale.put("persistentvolumes", "/v", { spec: { claimRef, csi: { driver: "disks", volumeHandle: "h" } } });
  tale.put("pods", "ns/p", { spec: { nodeName: "a", containers: [], volumes } });
  node(tale, "a", told);
}

const detach = (tale: Tale) => tale.drop(ATTACHMENTS, "/v-a");

export const attachmentCases: Cases = {
  "attached-to-one-node": {
    good: {
      "one after the other": (tale) => {
        attach(tale, "a");
        detach(tale);
        attach(tale, "b");
      },
    },
    bad: {
      "one that another node has": (tale) => {
        attach(tale, "a");
        attach(tale, "b");
      },
    },
  },
  "mounted-stays-attached": {
    good: {
      "one that was let go": (tale) => {
        used(tale);
        mount(tale, false);
        detach(tale);
      },
      "one of a node that is gone": (tale) => {
        used(tale);
        tale.drop("nodes", "/a");
        detach(tale);
      },
      "one of a node that was lost for long": (tale) => {
        used(tale);
        node(tale, "a", [], "Unknown");
        tale.at += 360_000;
        detach(tale);
      },
      "one of a node that knows of nothing": (tale) => {
        used(tale);
        tale.sees({ type: "fault", fault: JSON.stringify({ do: "lose-disk", node: 0 }) });
        detach(tale);
      },
    },
    bad: {
      "one that is mounted": (tale) => {
        used(tale);
        tale.put(ATTACHMENTS, "/v-a", { metadata: { deletionTimestamp: at(tale.at) } });
      },
      "one of a node that is lost": (tale) => {
        used(tale);
        node(tale, "a", [], "Unknown");
        detach(tale);
      },
    },
  },
  "rest-attachments-follow-pods": {
    good: {
      "one that a pod has": (tale) => {
        wanted(tale);
        attach(tale, "a");
        tale.rests();
      },
    },
    bad: {
      "one that no pod has": (tale) => {
        wanted(tale);
        attach(tale, "a");
        tale.drop("pods", "ns/p");
        tale.rests();
      },
      "one that its driver has not attached": (tale) => {
        wanted(tale);
        attach(tale, "a", false);
        tale.rests();
      },
      "one that its node does not know": (tale) => {
        wanted(tale, []);
        attach(tale, "a");
        tale.rests();
      },
      "one that its node has no more": (tale) => {
        wanted(tale);
        tale.rests();
      },
    },
  },
};
