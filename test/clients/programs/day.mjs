/** A day with @kubernetes/client-node, which lies in the folder of the first argument, in the namespace of the second. */
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";

const [, , folder, namespace] = process.argv;
const k8s = await import(pathToFileURL(`${folder}/node_modules/@kubernetes/client-node/dist/index.js`).href);
const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const custom = config.makeApiClient(k8s.CustomObjectsApi);
const say = (text) => console.log(text);

/** Follows a collection until `isEnough`, which is told each event. */
const follow = (path, query, isEnough, begin = () => {}) =>
  new Promise((resolve, reject) => {
    const onEvent = (type, object) => {
      if (isEnough(type, object)) resolve();
    };
    // What is left open ends with the program.
    new k8s.Watch(config).watch(path, query, onEvent, reject).then(begin, reject);
  });

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    const { reason } = JSON.parse(error.body);
    return `${error.code} ${reason}`;
  }
  return "none";
}

const configMap = (name, data, labels) => ({ namespace, body: { metadata: { name, labels }, data } });
const merge = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch);

const container = { name: "c", image: "busybox:test", command: ["sh", "-c", "echo started; sleep 1000"] };
const made = await apps.createNamespacedDeployment({
  namespace,
  body: {
    metadata: { name: "web" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      },
    },
  },
});
say(`created ${made.metadata.name} with ${made.spec.replicas} replicas`);

let first;
await follow(`/api/v1/namespaces/${namespace}/pods`, { labelSelector: "app=web" }, (type, pod) => {
  first ??= type;
  return pod.status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True");
});
say(`ready after ${first[0]}${first.slice(1).toLowerCase()}`);

const pods = await core.listNamespacedPod({ namespace, labelSelector: "app=web" });
const { name } = pods.items[0].metadata;
let log = ""; // a container that runs may not have said anything yet
while (log === "") log = (await core.readNamespacedPodLog({ name, namespace })).trim();
say(`log: ${log}`);

let said = "";
const sink = new Writable({
  write(chunk, _, done) {
    said += chunk;
    done();
  },
});
const command = ["echo", "hello from inside"];
await new Promise((resolve, reject) => {
  new k8s.Exec(config).exec(namespace, name, "c", command, sink, process.stderr, null, false, resolve).catch(reject);
});
say(`exec: ${said.trim()}`);

const scale = await apps.patchNamespacedDeploymentScale(
  { namespace, name: "web", body: { spec: { replicas: 2 } } },
  merge,
);
say(`scaled to ${scale.spec.replicas}`);

await core.createNamespacedConfigMap(configMap("shared", { a: "1", color: "red" }));
const shared = { namespace, name: "shared" };
const changed = await core.patchNamespacedConfigMap({ ...shared, body: { data: { color: "blue" } } }, merge);
say(`patched: ${changed.data.color}, and kept a=${changed.data.a}`);

const whole = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "shared" }, data: { color: "green" } };
const applied = await core.patchNamespacedConfigMap(
  { ...shared, body: whole, fieldManager: "day", force: true },
  k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.ServerSideApply),
);
const { manager } = applied.metadata.managedFields.find(({ operation }) => operation === "Apply");
say(`applied by ${manager}: ${applied.data.color}`);

const stale = await core.readNamespacedConfigMap(shared);
await core.patchNamespacedConfigMap({ ...shared, body: { data: { b: "2" } } }, merge);
say(`conflict: ${await refusal(() => core.replaceNamespacedConfigMap({ ...shared, body: stale }))}`);

const at = { group: "day.example.com", version: "v1", namespace, plural: "gadgets" };
const gadget = { apiVersion: "day.example.com/v1", kind: "Gadget", metadata: { name: "one" }, spec: { size: 3 } };
const one = await custom.createNamespacedCustomObject({ ...at, body: gadget });
const sized = (size) => custom.patchNamespacedCustomObject({ ...at, name: "one", body: { spec: { size } } }, merge);
const two = await sized(4);
say(`custom: ${one.spec.size}, then ${two.spec.size}; refused: ${await refusal(() => sized(10))}`);

for (let number = 0; number < 7; number++)
  await core.createNamespacedConfigMap(configMap(`page-${number}`, {}, { paged: "yes" }));
let count = 0;
let pages = 0;
let token;
do {
  const page = await core.listNamespacedConfigMap({
    namespace,
    labelSelector: "paged=yes",
    limit: 3,
    _continue: token,
  });
  token = page.metadata._continue;
  count += page.items.length;
  pages++;
} while (token);
say(`paged: ${count} in ${pages} pages`);

const { metadata } = await core.listNamespacedConfigMap({ namespace });
const seen = [];
async function late() {
  await core.createNamespacedConfigMap(configMap("late", {}));
  await core.patchNamespacedConfigMap({ namespace, name: "late", body: { data: { a: "1" } } }, merge);
  await core.deleteNamespacedConfigMap({ namespace, name: "late" });
}
await follow(
  `/api/v1/namespaces/${namespace}/configmaps`,
  { resourceVersion: metadata.resourceVersion },
  (type, object) => {
    seen.push(`${type} ${object.metadata.name}`);
    return type === "DELETED";
  },
  late,
);
say(`watched: ${seen.join(", ")}`);

await apps.deleteNamespacedDeployment({ namespace, name: "web" });
say(`gone: ${await refusal(() => apps.readNamespacedDeployment({ namespace, name: "web" }))}`);
process.exit(0);
