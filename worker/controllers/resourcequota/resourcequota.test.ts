import { expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { ResourceQuota } from "../../kinds/core/resource-quota.ts";
import { Secret } from "../../kinds/core/secret.ts";
import { Service } from "../../kinds/core/service.ts";
import { ResourceClaim } from "../../kinds/resource/resource-claim.ts";
import { Model } from "../testing.ts";
import { resourceQuotaController } from "./resourcequota.ts";

type Spec = NonNullable<ResourceQuota["spec"]>;

function cluster(hard: Record<string, string>, spec: Omit<Spec, "hard"> = {}) {
  const model = new Model([resourceQuotaController]);
  model.create(ResourceQuota, { metadata: { name: "q", namespace: "default" }, spec: { hard, ...spec } });
  model.rest();
  const used = () => {
    model.rest();
    return model.get(ResourceQuota, "q")?.status?.used;
  };
  const pod = (name: string, requests: Record<string, string> = {}, extra: object = {}, namespace = "default") =>
    model.create(Pod, {
      metadata: { name, namespace },
      spec: { containers: [{ name: "c", image: "app", resources: { requests, limits: requests } }], ...extra },
    });
  return { model, used, pod };
}

test("a new quota has zeros, and its limits, in its status", () => {
  const { model, used } = cluster({ pods: "2", "services.nodeports": "1", "count/deployments.apps": "3" });
  expect(used()).toEqual({ pods: "0", "services.nodeports": "0", "count/deployments.apps": "0" });
  expect(model.get(ResourceQuota, "q")?.status?.hard).toEqual({
    pods: "2",
    "services.nodeports": "1",
    "count/deployments.apps": "3",
  });
});

test("what pods ask for is summed in its namespace until they end or go", () => {
  const { model, used, pod } = cluster({ pods: "5", "requests.cpu": "2", memory: "1Gi", "limits.cpu": "2" });
  pod("a", { cpu: "250m", memory: "100Mi" });
  const b = pod("b", { cpu: "500m", memory: "200Mi" });
  pod("elsewhere", { cpu: "1" }, {}, "other");
  expect(used()).toEqual({ pods: "2", "requests.cpu": "750m", memory: "300Mi", "limits.cpu": "750m" });
  model.setPod(b, "Succeeded", false);
  expect(used()).toEqual({ pods: "1", "requests.cpu": "250m", memory: "100Mi", "limits.cpu": "250m" });
  model.endPod(model.get(Pod, "a") as Pod);
  expect(used()).toMatchObject({ pods: "0", "requests.cpu": "0" });
});

test("objects count by their kind, services also by what they take of nodes and balancers", () => {
  const hard = ["secrets", "services", "services.nodeports", "services.loadbalancers", "count/deployments.apps"];
  const { model, used } = cluster(Object.fromEntries(hard.map((name) => [name, "9"])));
  model.create(Secret, { metadata: { name: "s", namespace: "default" } });
  const ports = [{ port: 80 }, { port: 81 }];
  model.create(Service, { metadata: { name: "np", namespace: "default" }, spec: { type: "NodePort", ports } });
  model.create(Service, { metadata: { name: "lb", namespace: "default" }, spec: { type: "LoadBalancer", ports } });
  model.create(Deployment, {
    metadata: { name: "d", namespace: "default" },
    spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } } } },
  } as Deployment);
  expect(used()).toEqual({
    secrets: "1",
    services: "2",
    "services.nodeports": "4",
    "services.loadbalancers": "1",
    "count/deployments.apps": "1",
  });
  model.edit(Service, model.get(Service, "np") as Service, ({ spec }) =>
    Object.assign(spec ?? {}, { type: "ClusterIP" }),
  );
  expect(used()).toMatchObject({ services: "2", "services.nodeports": "2" });
});

test("claims count in all, and by their class", () => {
  const fast = "fast.storageclass.storage.k8s.io/";
  const names = [
    "persistentvolumeclaims",
    "requests.storage",
    `${fast}requests.storage`,
    `${fast}persistentvolumeclaims`,
  ];
  const { model, used } = cluster(Object.fromEntries(names.map((name) => [name, "10Gi"])));
  for (const [name, storageClassName] of [
    ["a", "fast"],
    ["b", "slow"],
  ])
    model.create(PersistentVolumeClaim, {
      metadata: { name, namespace: "default" },
      spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    } as PersistentVolumeClaim);
  expect(used()).toEqual({
    persistentvolumeclaims: "2",
    "requests.storage": "2Gi",
    [`${fast}requests.storage`]: "1Gi",
    [`${fast}persistentvolumeclaims`]: "1",
  });
});

test("scopes take in some pods only", () => {
  const { used, pod } = cluster({ pods: "5" }, { scopes: ["Terminating", "NotBestEffort"] });
  pod("a", { cpu: "1" });
  pod("b", { cpu: "1" }, { activeDeadlineSeconds: 60 });
  pod("c", {}, { activeDeadlineSeconds: 60 });
  expect(used()).toEqual({ pods: "1" });
});

test("a changed limit, and a status that someone else wrote, are put right", () => {
  const { model, used } = cluster({ secrets: "1" });
  const quota = () => model.get(ResourceQuota, "q") as ResourceQuota;
  model.edit(ResourceQuota, quota(), ({ spec }) => Object.assign(spec ?? {}, { hard: { secrets: "2", pods: "1" } }));
  expect(used()).toEqual({ secrets: "0", pods: "0" });
  expect(quota().status?.hard).toEqual({ secrets: "2", pods: "1" });
  model.edit(ResourceQuota, quota(), (copy) => Object.assign(copy, { status: { hard: {}, used: {} } }), "status");
  expect(used()).toEqual({ secrets: "0", pods: "0" });
});

test("claims count for the classes of attributes that they have or are to have", () => {
  const matchExpressions = [{ scopeName: "VolumeAttributesClass", operator: "In", values: ["gold"] }];
  const { model, used } = cluster({ persistentvolumeclaims: "5" }, { scopeSelector: { matchExpressions } });
  const claim = (name: string, volumeAttributesClassName?: string) =>
    model.create(PersistentVolumeClaim, {
      metadata: { name, namespace: "default" },
      spec: { volumeAttributesClassName, resources: { requests: { storage: "1Gi" } } },
    });
  claim("gold", "gold");
  claim("plain");
  const silver = claim("silver", "silver");
  expect(used()).toEqual({ persistentvolumeclaims: "1" });
  const status = { currentVolumeAttributesClassName: "gold" };
  model.edit(PersistentVolumeClaim, silver, (copy) => Object.assign(copy, { status }), "status");
  expect(used()).toEqual({ persistentvolumeclaims: "2" });
});

test("claims to devices count by class, at their worst", () => {
  const devices = (name: string) => `${name}.deviceclass.resource.k8s.io/devices`;
  const hard = { [devices("gold")]: "9", [devices("tin")]: "9", "count/resourceclaims.resource.k8s.io": "9" };
  const { model, used } = cluster(hard);
  const claim = (name: string, ...requests: object[]) =>
    model.create(ResourceClaim, {
      metadata: { name, namespace: "default" },
      spec: { devices: { requests } },
    } as ResourceClaim);
  const exactly = (deviceClassName: string, count: number) => ({
    deviceClassName,
    allocationMode: "ExactCount",
    count,
  });
  claim("a", { name: "x", exactly: exactly("gold", 2) }, { name: "y", exactly: exactly("gold", 1) });
  claim("b", { name: "x", firstAvailable: [exactly("gold", 3), exactly("gold", 1), exactly("tin", 2)] });
  claim("c", { name: "x", exactly: { deviceClassName: "tin", allocationMode: "All" } });
  expect(used()).toEqual({
    [devices("gold")]: "6",
    [devices("tin")]: "34",
    "count/resourceclaims.resource.k8s.io": "3",
  });
});
