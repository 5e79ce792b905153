/** A program in a pod that uses the API, as operators do: kubectl itself, with nothing but what the pod is given. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { kubectls } from "../support/programs.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
  const [kubectl] = await kubectls();
  await cluster.load({ tag: "docker.io/library/kubectl:test", programs: { kubectl: kubectl?.path ?? "" } });
});
afterAll(async () => {
  await cluster?.stop();
});

describe("a pod at kubernetes.default", () => {
  test("acts as its ServiceAccount, over TLS that the cluster's CA vouches for", async () => {
    await cluster.ok("create serviceaccount robot");
    await cluster.ok("create role watcher --verb=get,list,watch --resource=configmaps");
    await cluster.ok("create rolebinding watcher --role=watcher --serviceaccount=default:robot");
    await cluster.ok([
      "run",
      "robot",
      "--image=kubectl:test",
      '--overrides={"spec":{"serviceAccountName":"robot"}}',
      "--",
      "sleep",
      "600",
    ]);
    await cluster.ok("wait --for=condition=Ready pod/robot --timeout=60s");
    const inPod = (...args: string[]) => cluster.kubectl(["exec", "robot", "--", "kubectl", ...args]);
    const whoami = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];
    const said = await eventually("the API answers in the pod", async () => (await inPod(...whoami)).stdout || false);
    expect(said).toBe("system:serviceaccount:default:robot");
    expect((await inPod("get", "configmaps", "-o", "name")).stdout).toContain("configmap/kube-root-ca.crt");
    const refused = await inPod("get", "secrets");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'secrets is forbidden: User "system:serviceaccount:default:robot" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
  });

  test("watches from inside the pod", async () => {
    const watching = cluster.follow("exec robot -- kubectl get configmaps -w -o name");
    await eventually("it lists", async () => watching.said().includes("configmap/kube-root-ca.crt"));
    await cluster.ok("create configmap seen --from-literal=a=b");
    await eventually("it is told", async () => watching.said().includes("configmap/seen"));
    await watching.stop();
  });

  test("a token dies with its pod", async () => {
    const token = await cluster.ok("exec robot -- cat /var/run/secrets/kubernetes.io/serviceaccount/token");
    const ask = () =>
      cluster.kubectl([
        "--kubeconfig=/dev/null",
        `--server=https://127.0.0.1:${cluster.port}`,
        `--certificate-authority=${cluster.home}/tls/ca.crt`,
        `--token=${token}`,
        "get",
        "configmaps",
      ]);
    expect((await ask()).code).toBe(0);
    await cluster.ok("delete pod robot --grace-period=1");
    const refused = await ask();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("You must be logged in to the server");
  });
});
