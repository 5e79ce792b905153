/** Pods come and go while their agent is killed over and over, as a seed decides. */
import { effects } from "../../agent/effects.ts";
import { seeded } from "../fuzz/random.ts";
import { eventually, killNow, type TestCluster } from "./cluster.ts";
import { taken, takenAtRest } from "./taken.ts";

/** Pods that are there at once, at most. */
const MOST_PODS = 8;
/** So often a round ends with kill -9 of the agent. */
const KILLS = 0.2;
const PATIENCE_MS = 600_000;

const pod = (name: string, n: number) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: torture } }
spec:
  terminationGracePeriodSeconds: ${n % 3}
  shareProcessNamespace: ${n % 4 === 0}
  restartPolicy: ${n % 5 === 0 ? "Never" : "Always"}
  initContainers: [{ name: first, image: "busybox:test", command: ["true"] }]
  containers:
    - name: main
      image: busybox:test
      command: [sh, -c, "${n % 7 === 0 ? "sleep 1; exit 1" : "exec sleep 100000"}"]
      readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 }
      volumeMounts: [{ name: settings, mountPath: /settings }, { name: memory, mountPath: /memory }]
  volumes:
    - { name: settings, configMap: { name: torture } }
    - { name: memory, emptyDir: { medium: Memory, sizeLimit: 1Mi } }
`;

const COMMON = `
apiVersion: v1
kind: ConfigMap
metadata: { name: torture }
data: { a: b }
---
apiVersion: v1
kind: Service
metadata: { name: torture }
spec: { selector: { app: torture }, ports: [{ port: 80 }] }
`;

export type Tortured = { before: object; after: object; kills: number };

/** Starts and ends so many pods; `after` is what is left once all of them are gone. */
export async function torture(
  cluster: TestCluster,
  { rounds, seed, log }: { rounds: number; seed: number; log(message: string): void },
): Promise<Tortured> {
  const random = seeded(seed);
  await cluster.apply(COMMON);
  // One pod first, so that what is made once a node is there already.
  await cluster.apply(pod("first", 1));
  await cluster.ok("wait --for=condition=Ready pod/first --timeout=120s");
  await cluster.ok("delete pod first --grace-period=0 --force");
  const gone = () => eventually("no pod is left", async () => (await names(cluster)).length === 0, PATIENCE_MS);
  await gone();
  const before = await takenAtRest(cluster);
  let kills = 0;
  for (let round = 0; round < rounds; round++) {
    // All of a round's chances are drawn, whichever of them count: what is there by then is no part of the seed.
    const [ends, pause, dies] = [random(), random(), random()];
    const there = await names(cluster);
    while (there.length >= MOST_PODS)
      await cluster.ok([
        "delete",
        "pod",
        ...there.splice(Math.floor(ends * there.length), 1),
        "--wait=false",
        "--ignore-not-found",
      ]);
    await cluster.apply(pod(`p${round}`, round));
    if (there.length && ends < 0.6) {
      const [name = ""] = there.splice(Math.floor((ends / 0.6) * there.length), 1);
      await cluster.ok(["delete", "pod", name, "--wait=false", "--ignore-not-found"]);
    }
    await effects.sleep(pause * 1_500);
    if (dies < KILLS && killAgent(cluster)) kills++;
    if (round % 25 === 24) log(`${round + 1} of ${rounds} pods were made, the agent was killed ${kills} times`);
  }
  killAgent(cluster);
  await cluster.ok("delete pod --all --wait=false");
  await gone();
  let after: object = {};
  await eventually(
    "all is given back",
    async () => {
      after = await taken(cluster);
      return JSON.stringify(after) === JSON.stringify(before);
    },
    PATIENCE_MS,
  ).catch(() => {}); // who asked compares
  return { before, after, kills };
}

function killAgent(cluster: TestCluster): boolean {
  const pid = cluster.pid("agent");
  if (!pid) return false; // it is on its way back
  killNow(pid);
  return true;
}

const names = async (cluster: TestCluster): Promise<string[]> =>
  (await cluster.ok("get pods -o jsonpath={.items[*].metadata.name}")).split(" ").filter(Boolean);
