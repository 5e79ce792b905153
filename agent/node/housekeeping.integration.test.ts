/** On a real containerd, what a node gives back when its disk fills up, and in which order. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRuntime, type TestRuntime } from "../../test/support/containerd.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../../test/support/image.ts";
import type { CoreV1Pod, CoreV1PodSpec, CoreV1PodStatus } from "../../worker/kinds/generated/types.ts";
import type { Json } from "../../worker/protocol/link.ts";
import { clusterClock } from "../clock.ts";
import { effects, steadyEffects } from "../effects.ts";
import { machineHost } from "../pods/host.ts";
import { PodManager } from "../pods/manager.ts";
import { run } from "../process.ts";
import { Housekeeping } from "./housekeeping.ts";
import { ImageList } from "./image-list.ts";
import { machineHousekeeping } from "./machine.ts";
import { PAUSE_IMAGE } from "./pause-image.ts";
import { settingsOf } from "./settings.ts";
import type { Observations } from "./thresholds.ts";

const DISK = 1000;

async function until(what: string, condition: () => Promise<boolean> | boolean, ms = 300_000): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 100) {
    if (waited > ms) throw new Error(`never came true: ${what}`);
    await effects.sleep(100);
  }
}

describe("a node whose disk fills up", () => {
  let runtime: TestRuntime;
  let manager: PodManager;
  let housekeeping: Housekeeping;
  let images: ImageList;
  const pods = new Map<string, CoreV1Pod>();
  const statuses = new Map<string, CoreV1PodStatus>();
  const events: string[] = [];
  /** Of the disk, by which the node judges. */
  const disk = { available: DISK };
  const changes: string[] = [];

  const api = async (method: string, path: string, body?: Json): Promise<{ code: number; body: Json }> => {
    if (path.endsWith("/status")) statuses.set(path.split("/")[6] ?? "", (body as { status: CoreV1PodStatus }).status);
    else if (method === "POST") {
      const { involvedObject, reason, message } = body as unknown as {
        involvedObject: { name: string };
        reason: string;
        message: string;
      };
      events.push(`${involvedObject.name} ${reason}: ${message}`);
    }
    return { code: 200, body: {} };
  };
  const load = async (tag: string) => {
    const archive = join(runtime.home, "image.tar");
    // A name of its own in it, as images of the same content are one.
    await writeBusyboxImage(archive, { tag, programs: { [tag.replace(/\W/g, "-")]: "/etc/hostname" } });
    await runtime.nerdctl.load(archive);
    rmSync(archive);
  };
  const start = (name: string, image: string, spec: Partial<CoreV1PodSpec>, command: string[]) => {
    pods.set(name, {
      metadata: { name, namespace: "default", uid: effects.uid() },
      spec: {
        terminationGracePeriodSeconds: 30,
        hostNetwork: true,
        ...spec,
        containers: [{ name: "c", image, command }],
      },
    });
    manager.sync({
      pods: new Map([...pods.values()].map((pod) => [pod.metadata.uid ?? "", pod])),
      configMaps: new Map(),
      secrets: new Map(),
      services: [],
    });
  };
  const tags = async () => (await runtime.nerdctl.listImages()).flatMap(({ RepoTags = [] }) => RepoTags).toSorted();

  beforeAll(async () => {
    runtime = await startRuntime();
    await load(BUSYBOX_IMAGE);
    await load("docker.io/library/done:1");
    await load("docker.io/library/unused:1");
    const clock = clusterClock(steadyEffects);
    const host = machineHost({ home: runtime.home, nerdctl: runtime.nerdctl, api, effects });
    const network = {
      open: async () => "",
      close: async () => {},
      addressOf: () => undefined,
      allOf: (address: string) => [address],
      pathOf: () => "",
      opened: () => [],
      dns: () => ({ servers: [], searches: [], options: [] }),
    };
    const log = (message: string) => process.env.DEBUG && console.log(message);
    images = new ImageList(runtime.nerdctl);
    const settings = settingsOf({ evictionHard: { "nodefs.available": "10%" }, imageMinimumGCAge: "0s" });
    manager = new PodManager({
      nodeName: "node-1",
      hostIPs: () => ["192.0.2.1"],
      runtime: runtime.nerdctl,
      host,
      network,
      effects: clock,
      api,
      onImages: () => images.outdate(),
      log,
    });
    housekeeping = new Housekeeping({
      ...machineHousekeeping(runtime.home, settings, run),
      observe: (): Observations => ({ "nodefs.available": { available: disk.available, capacity: DISK } }),
      imageDisk: () => ({ available: disk.available, capacity: DISK }),
      pods: manager,
      runtime: runtime.nerdctl,
      images,
      effects: clock,
      onChange: () => changes.push(housekeeping.pressures.join()),
      log,
    });
    await manager.start();
    start("done", "docker.io/library/done:1", { restartPolicy: "Never" }, ["true"]);
    start("runs", BUSYBOX_IMAGE, {}, ["sleep", "1000"]);
    manager.online();
    await until(
      "both have run",
      () => statuses.get("done")?.phase === "Succeeded" && statuses.get("runs")?.phase === "Running",
    );
    housekeeping.start();
  });

  afterAll(async () => {
    housekeeping?.stop();
    await manager?.stop();
    await runtime?.stop();
  });

  test("removes images that nobody uses, and keeps those of containers that have ended", async () => {
    disk.available = 100;
    await housekeeping.collectImages();
    expect(await tags()).toEqual(
      [BUSYBOX_IMAGE, "done:1", PAUSE_IMAGE].map((tag) => tag.replace("docker.io/library/", "")).toSorted(),
    );
  });

  test("removes what has ended, with its image, before it ends what runs", async () => {
    disk.available = 50;
    await until("the image of what has ended is gone", async () => !(await tags()).includes("done:1"));
    disk.available = 900;
    expect(await runtime.nerdctl.list("skerry.dev/pod-name=done")).toEqual([]);
    expect(statuses.get("done")?.phase).toBe("Succeeded");
    expect(changes).toEqual(["DiskPressure"]);
    const told = "node-1 EvictionThresholdMet: Attempting to reclaim ephemeral-storage";
    await until("an event tells of it", () => events.includes(told));
  });

  test("evicts what runs when that is not enough", async () => {
    disk.available = 50;
    await until("the pod is over", () => statuses.get("runs")?.phase === "Failed");
    const { reason, message, conditions } = statuses.get("runs") ?? {};
    expect(reason).toBe("Evicted");
    expect(message).toMatch(
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: 100, available: 50\. Container c was using \d+[KM]i, request is 0, has larger consumption of ephemeral-storage\. $/,
    );
    expect(conditions?.find(({ type }) => type === "DisruptionTarget")).toMatchObject({
      status: "True",
      reason: "TerminationByKubelet",
    });
  });
});
