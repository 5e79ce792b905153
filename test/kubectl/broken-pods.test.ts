/** A new user's pods that do not work: `kubectl describe` alone tells why, in Kubernetes' words. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { TestRegistry } from "../support/registry.ts";

let cluster: TestCluster;
let registry: TestRegistry;
let folder = "";

type Broken = {
  /** What the user did. */
  name: string;
  /** Of the pod, in YAML. */
  spec(): string;
  /** In the order in which `kubectl describe` shows them. */
  describe(): string[];
};

const indent = (text: string) => text.replace(/^/gm, "  ");
const manifest = ({ name, spec }: Broken) => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
${indent(spec())}`;

const app = (...lines: string[]) => `containers:\n- name: app\n  image: busybox:test\n${indent(lines.join("\n"))}`;
const sh = (script: string) => `command: [sh, -c, '${script}']`;

/** `Warning Failed … kubelet Error: ErrImagePull`, whatever its age is. */
const event = (type: string, reason: string, message: string, from = "kubelet") =>
  `${type} +${reason} +\\S+( \\(x\\d+ over \\S+\\))? +${from} +${message}`;
const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const NAME = "_default\\([0-9a-f-]{36}\\)";

const broken: Broken[] = [
  {
    name: "wrong-image",
    spec: () => `containers: [{ name: app, image: "${registry.host}/team/nope:1" }]`,
    describe: () => {
      const image = quoted(`${registry.host}/team/nope:1`);
      return [
        "State: +Waiting\n +Reason: +ImagePullBackOff",
        event("Normal", "Pulling", `Pulling image "${image}"`),
        event(
          "Warning",
          "Failed",
          `Failed to pull image "${image}": rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
        ),
        event("Warning", "Failed", "Error: ErrImagePull"),
        event("Normal", "BackOff", `Back-off pulling image "${image}"`),
        event("Warning", "Failed", "Error: ImagePullBackOff"),
      ];
    },
  },
  {
    name: "wrong-image-name",
    spec: () => `containers: [{ name: app, image: "Nginx:1" }]`,
    describe: () => [
      "State: +Waiting\n +Reason: +InvalidImageName",
      event(
        "Warning",
        "InspectFailed",
        'Failed to apply default image tag "Nginx:1": couldn\'t parse image name "Nginx:1": invalid reference format: repository name \\(library/Nginx\\) must be lowercase',
      ),
      event("Warning", "Failed", "Error: InvalidImageName"),
    ],
  },
  {
    name: "image-never-pulled",
    spec: () => `containers: [{ name: app, image: "mine:1", imagePullPolicy: Never }]`,
    describe: () => [
      "State: +Waiting\n +Reason: +ErrImageNeverPull",
      event("Warning", "ErrImageNeverPull", 'Container image "mine:1" is not present with pull policy of Never'),
      event("Warning", "Failed", "Error: ErrImageNeverPull"),
    ],
  },
  {
    name: "wrong-pull-secret",
    spec: () =>
      `imagePullSecrets: [{ name: wrong }, { name: forgotten }]\ncontainers: [{ name: app, image: "${registry.host}/private/app:1" }]`,
    describe: () => [
      "State: +Waiting\n +Reason: +ImagePullBackOff",
      event(
        "Warning",
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets \\(forgotten\\); attempting to pull the image may not succeed\\.",
      ),
      event(
        "Warning",
        "Failed",
        `Failed to pull image "\\S+": failed to pull and unpack image "\\S+": failed to resolve reference "\\S+": .*401 Unauthorized`,
      ),
    ],
  },
  {
    name: "unsigned-image",
    spec: () => `containers: [{ name: app, image: "${registry.host}/signed/app:1" }]`,
    describe: () => {
      const image = quoted(`${registry.host}/signed/app:1`);
      return [
        "State: +Waiting\n +Reason: +ImagePullBackOff",
        event("Normal", "Pulling", `Pulling image "${image}"`),
        event("Warning", "Failed", `Failed to pull image "${image}": SignatureValidationFailed: no signatures found`),
        event("Warning", "Failed", "Error: SignatureValidationFailed"),
        event("Normal", "BackOff", `Back-off pulling image "${image}"`),
      ];
    },
  },
  {
    name: "wrong-command",
    spec: () => app("command: [no-such-program]"),
    describe: () => {
      const why =
        'failed to create containerd task: failed to create shim task: OCI runtime create failed: .*exec: "no-such-program": executable file not found in \\$PATH: unknown';
      return [
        "State: +Waiting\n +Reason: +CrashLoopBackOff",
        `Last State: +Terminated\n +Reason: +StartError\n +Message: +${why}\n +Exit Code: +128`,
        event("Normal", "Created", "Container created"),
        event("Warning", "Failed", `Error: ${why}`),
        event("Warning", "BackOff", `Back-off restarting failed container app in pod wrong-command${NAME}`),
      ];
    },
  },
  {
    name: "failing-program",
    spec: () => app(sh("echo no database >&2; exit 3"), "terminationMessagePolicy: FallbackToLogsOnError"),
    describe: () => [
      "State: +Waiting\n +Reason: +CrashLoopBackOff",
      "Last State: +Terminated\n +Reason: +Error\n +Message: +no database\n\n? +Exit Code: +3",
      event("Warning", "BackOff", `Back-off restarting failed container app in pod failing-program${NAME}`),
    ],
  },
  {
    name: "missing-configmap",
    spec: () => app(sh("sleep 600"), "envFrom: [{ configMapRef: { name: settings } }]"),
    describe: () => [
      "State: +Waiting\n +Reason: +CreateContainerConfigError",
      event("Warning", "Failed", 'Error: configmap "settings" not found'),
    ],
  },
  {
    name: "missing-volume",
    spec: () =>
      `volumes: [{ name: settings, configMap: { name: settings } }]\n${app(sh("sleep 600"), "volumeMounts: [{ name: settings, mountPath: /settings }]")}`,
    describe: () => [
      "State: +Waiting\n +Reason: +ContainerCreating",
      event(
        "Warning",
        "FailedMount",
        'MountVolume\\.SetUp failed for volume "settings" : configmap "settings" not found',
      ),
    ],
  },
  {
    name: "too-much-memory",
    spec: () => app(sh("x=a; while true; do x=$x$x; done"), "resources: { limits: { memory: 16Mi } }"),
    describe: () => [
      "Last State: +Terminated\n +Reason: +OOMKilled\n +Exit Code: +137",
      event("Warning", "BackOff", `Back-off restarting failed container app in pod too-much-memory${NAME}`),
    ],
  },
  {
    name: "failing-liveness",
    spec: () =>
      app(
        sh("sleep 600"),
        "livenessProbe: { exec: { command: [cat, /alive] }, periodSeconds: 1, failureThreshold: 2 }",
      ),
    describe: () => [
      event("Warning", "Unhealthy", "Liveness probe failed: cat: can't open '/alive': No such file or directory"),
      event("Normal", "Killing", "Container app failed liveness probe, will be restarted"),
    ],
  },
  {
    name: "wrong-port",
    spec: () => app(sh("sleep 600"), "readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }"),
    describe: () => [
      "Ready +False",
      event(
        "Warning",
        "Unhealthy",
        'Readiness probe failed: Get "http://[\\d.]+:8080/": dial tcp [\\d.]+:8080: connect: connection refused',
      ),
    ],
  },
  {
    name: "full-memory-volume",
    spec: () =>
      `volumes: [{ name: data, emptyDir: { medium: Memory, sizeLimit: 1Mi } }]\nrestartPolicy: Never\n${app(
        sh("dd if=/dev/zero of=/data/x bs=64k count=100"),
        "terminationMessagePolicy: FallbackToLogsOnError",
        "volumeMounts: [{ name: data, mountPath: /data }]",
      )}`,
    describe: () => [
      "Status: +Failed",
      "State: +Terminated\n +Reason: +Error\n +Message: +dd: error writing '/data/x': No space left on device",
      "Exit Code: +1",
    ],
  },
  {
    name: "full-volume",
    spec: () =>
      `volumes: [{ name: data, emptyDir: { sizeLimit: 1Mi } }]\n${app(
        sh("dd if=/dev/zero of=/data/x bs=64k count=100; sleep 600"),
        "volumeMounts: [{ name: data, mountPath: /data }]",
      )}`,
    describe: () => [
      'Status: +Failed\nReason: +Evicted\nMessage: +Usage of EmptyDir volume "data" exceeds the limit "1Mi"\\.',
      event("Warning", "Evicted", 'Usage of EmptyDir volume "data" exceeds the limit "1Mi"\\.'),
    ],
  },
  {
    name: "read-only",
    spec: () =>
      `restartPolicy: Never\n${app(
        sh("touch /tmp/x"),
        "terminationMessagePolicy: FallbackToLogsOnError",
        "securityContext: { readOnlyRootFilesystem: true }",
      )}`,
    describe: () => [
      "State: +Terminated\n +Reason: +Error\n +Message: +touch: /tmp/x: Read-only file system",
      "Exit Code: +1",
    ],
  },
  {
    name: "may-not-be-root",
    spec: () => app(sh("sleep 600"), "securityContext: { runAsNonRoot: true }"),
    describe: () => [
      "State: +Waiting\n +Reason: +CreateContainerConfigError",
      event(
        "Warning",
        "Failed",
        'Error: container has runAsNonRoot and image will run as root \\(pod: "may-not-be-root_default\\([0-9a-f-]{36}\\)", container: app\\)',
      ),
    ],
  },
  {
    name: "too-large",
    spec: () => app(sh("sleep 600"), 'resources: { requests: { cpu: "900" } }'),
    describe: () => [
      "Status: +Pending",
      "PodScheduled +False",
      event(
        "Warning",
        "FailedScheduling",
        "0/1 nodes are available: 1 Insufficient cpu\\. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling\\.",
        "default-scheduler",
      ),
    ],
  },
  {
    name: "nowhere",
    spec: () => `nodeSelector: { disk: ssd }\n${app(sh("sleep 600"))}`,
    describe: () => [
      event(
        "Warning",
        "FailedScheduling",
        "0/1 nodes are available: 1 node\\(s\\) didn't match Pod's node affinity/selector\\. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling\\.",
        "default-scheduler",
      ),
    ],
  },
];

/** What the node's administrator wants signed. */
function policy(): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return `
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: { name: signed }
spec:
  images: [{ glob: "127.0.0.1:*/signed/**" }]
  authorities: [{ key: { data: ${JSON.stringify(publicKey.export({ type: "spki", format: "pem" }))} } }]
`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skerry-policy-"));
  const file = join(folder, "policy.yaml");
  writeFileSync(file, policy());
  const flags = ["--node-name", "node-a", "--image-policy", file, "--max-parallel-image-pulls", "3"];
  [cluster, registry] = await Promise.all([TestCluster.start({ flags }), TestRegistry.start()]);
  registry.users.set("private/", "jane:very-secret");
  await registry.push("signed/app", "1", []);
  const auth = ["--docker-server", registry.host, "--docker-username", "jane", "--docker-password", "guessed"];
  await cluster.ok(["create", "secret", "docker-registry", "wrong", ...auth]);
  await cluster.apply(broken.map(manifest).join("\n"));
});

afterAll(async () => {
  registry?.stop();
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each(broken)("$name", async ({ name, describe }) => {
  let seen = "";
  const missing = () => {
    let at = 0;
    return describe().filter((pattern) => {
      const found = new RegExp(pattern).exec(seen.slice(at));
      if (found) at += found.index;
      return !found;
    });
  };
  await eventually(name, async () => {
    seen = await cluster.ok(`describe pod ${name}`);
    return missing().length === 0;
  }).catch(() => {});
  expect(missing(), seen).toEqual([]);
});

test("a pod whose image never comes goes when it is deleted", async () => {
  registry.faults.push(({ url = "" }) => url.startsWith("/v2/team/slow/"));
  const image = `${registry.host}/team/slow:1`;
  await cluster.apply(
    manifest({ name: "endless", spec: () => `containers: [{ name: app, image: "${image}" }]`, describe: () => [] }),
  );
  const pulling = new RegExp(event("Normal", "Pulling", `Pulling image "${quoted(image)}"`));
  await eventually("it pulls", async () => pulling.test(await cluster.ok("describe pod endless")));
  const asked = () => registry.asked.some((line) => line.includes("/v2/team/slow/"));
  await eventually("the registry is asked", async () => asked());
  await cluster.ok("delete pod endless --timeout=20s");
  await eventually("nothing pulls any more", async () => {
    const { stdout } = await run("ps", ["-eo", "args"]);
    return !stdout.includes(`pull -q ${image}`);
  });
});

test("a user who may not look is told what is missing", async () => {
  const refused = await cluster.kubectl("describe pod wrong-image --as system:serviceaccount:default:default");
  expect(refused.all).toBe(
    'Error from server (Forbidden): pods "wrong-image" is forbidden: User "system:serviceaccount:default:default" cannot get resource "pods" in API group "" in the namespace "default"\n',
  );
});
