import { describe, expect, it } from "vitest";
import { ns, pod, session } from "../testing/session.ts";

describe("ServiceAccount", () => {
  it("gives every container the token, the CA and the namespace", () => {
    const { spec } = session().ok(
      "POST",
      `${ns}/pods`,
      pod("a", { initContainers: [{ name: "i", image: "busybox:1.37" }] }),
    );
    const [volume] = spec.volumes;
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume.projected.sources).toEqual([
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ]);
    const mount = { name: volume.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
    for (const container of [...spec.initContainers, ...spec.containers])
      expect(container.volumeMounts).toEqual([mount]);
    expect([spec.serviceAccountName, spec.serviceAccount]).toEqual(["default", "default"]);
  });

  it("leaves that to the pod and the account, and passes on pull secrets", () => {
    const { ok } = session();
    ok("POST", `${ns}/serviceaccounts`, {
      metadata: { name: "s" },
      imagePullSecrets: [{ name: "r" }],
      automountServiceAccountToken: false,
    });
    const { spec } = ok("POST", `${ns}/pods`, pod("a", { serviceAccountName: "s" }));
    expect([spec.imagePullSecrets, spec.volumes]).toEqual([[{ name: "r" }], undefined]);
    const asked = ok("POST", `${ns}/pods`, pod("b", { serviceAccountName: "s", automountServiceAccountToken: true }));
    expect(asked.spec.volumes).toHaveLength(1);
  });

  it("refuses an account that is not there", () => {
    expect(session().send("POST", `${ns}/pods`, pod("a", { serviceAccountName: "none" })).body).toMatchObject({
      code: 403,
      message: 'pods "a" is forbidden: error looking up service account default/none: serviceaccount "none" not found',
    });
  });
});

describe("Priority", () => {
  const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";

  it("is the number of the class, or of the default class, or 0", () => {
    const { ok } = session();
    expect(ok("POST", `${ns}/pods`, pod("a")).spec).toMatchObject({
      priority: 0,
      preemptionPolicy: "PreemptLowerPriority",
    });
    ok("POST", classes, { metadata: { name: "p" }, value: 77, preemptionPolicy: "Never" });
    expect(ok("POST", `${ns}/pods`, pod("b", { priorityClassName: "p" })).spec).toMatchObject({
      priority: 77,
      preemptionPolicy: "Never",
    });
    ok("POST", classes, { metadata: { name: "d" }, value: 5, globalDefault: true });
    expect(ok("POST", `${ns}/pods`, pod("c")).spec).toMatchObject({ priority: 5, priorityClassName: "d" });
  });

  it.each([
    [{ priorityClassName: "none" }, "no PriorityClass with name none was found"],
    [
      { priority: 5 },
      "the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name",
    ],
  ])("%j is refused", (spec, why) => {
    expect(session().send("POST", `${ns}/pods`, pod("a", spec)).body.message).toBe(`pods "a" is forbidden: ${why}`);
  });

  it("has one default class at most", () => {
    const { ok, send } = session();
    ok("POST", classes, { metadata: { name: "d" }, value: 5, globalDefault: true });
    expect(send("POST", classes, { metadata: { name: "e" }, value: 6, globalDefault: true }).code).toBe(403);
    expect(send("PATCH", `${classes}/d`, { metadata: { labels: { x: "y" } } }).code).toBe(200);
  });
});

describe("LimitRanger", () => {
  const limited = (...limits: object[]) => {
    const made = session();
    made.ok("POST", `${ns}/limitranges`, { metadata: { name: "l" }, spec: { limits } });
    return made;
  };

  it("fills in what containers leave out, and notes it", () => {
    const item = { type: "Container", default: { cpu: "200m" }, defaultRequest: { cpu: "100m" } };
    const { metadata, spec } = limited(item).ok("POST", `${ns}/pods`, pod("a"));
    expect(spec.containers[0].resources).toEqual({ limits: { cpu: "200m" }, requests: { cpu: "100m" } });
    expect(metadata.annotations).toEqual({
      "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
    });
  });

  it.each([
    [
      { type: "Container", max: { cpu: "1" } },
      { limits: { cpu: "2" } },
      "maximum cpu usage per Container is 1, but limit is 2",
    ],
    [
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      { requests: { cpu: "100m" }, limits: { cpu: "1" } },
      "cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000",
    ],
    [
      { type: "Pod", min: { memory: "1Gi" } },
      { requests: { memory: "1Mi" } },
      "minimum memory usage per Pod is 1Gi, but request is 1Mi",
    ],
    [{ type: "Pod", min: { memory: "1Gi" } }, {}, "minimum memory usage per Pod is 1Gi.  No request is specified"],
  ])("%j refuses %j", (item, resources, why) => {
    const containers = [{ name: "c", image: "busybox:1.37", resources }];
    const { body } = limited(item).send("POST", `${ns}/pods`, pod("a", { containers }));
    expect(body.message).toBe(`pods "a" is forbidden: ${why}`);
  });

  it("bounds claims too", () => {
    const claim = {
      metadata: { name: "a" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
    };
    const { body } = limited({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } }).send(
      "POST",
      `${ns}/persistentvolumeclaims`,
      claim,
    );
    expect(body.message).toBe(
      'persistentvolumeclaims "a" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
    );
  });
});

describe("ResourceQuota", () => {
  const limited = (hard: object, more: object = {}) => {
    const made = session();
    made.ok("POST", `${ns}/resourcequotas`, { metadata: { name: "q" }, spec: { hard, ...more } });
    return made;
  };
  const asking = (name: string, cpu: string) =>
    pod(name, { containers: [{ name: "c", image: "busybox:1.37", resources: { requests: { cpu } } }] });

  it("sums what is there, and frees what has gone or ended", () => {
    const { ok, send } = limited({ "requests.cpu": "1", pods: "2" });
    ok("POST", `${ns}/pods`, asking("a", "600m"));
    const refused = send("POST", `${ns}/pods`, asking("b", "500m"));
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
    ]);
    ok("PATCH", `${ns}/pods/a/status`, { status: { phase: "Succeeded" } });
    ok("POST", `${ns}/pods`, asking("b", "500m"));
    ok("DELETE", `${ns}/pods/b`);
    ok("POST", `${ns}/pods`, asking("b", "1"));
  });

  it("wants containers to say what they take", () => {
    expect(limited({ "limits.memory": "1Gi" }).send("POST", `${ns}/pods`, pod("a")).body.message).toBe(
      'pods "a" is forbidden: failed quota: q: must specify limits.memory for: c',
    );
  });

  it("counts any kind by its name, and node ports by number", () => {
    const { ok, send } = limited({ "count/configmaps": "1", "services.nodeports": "1" });
    ok("POST", `${ns}/configmaps`, { metadata: { name: "a" } });
    expect(send("POST", `${ns}/configmaps`, { metadata: { name: "b" } }).code).toBe(403);
    ok("POST", `${ns}/services`, { metadata: { name: "a" }, spec: { ports: [{ port: 80 }] } });
    ok("PATCH", `${ns}/services/a`, { spec: { type: "NodePort" } });
    const ports = [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ];
    expect(send("PATCH", `${ns}/services/a`, { spec: { ports } }).body.message).toContain(
      "requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1",
    );
  });

  it("looks only at pods of its scope", () => {
    const { ok, send } = limited({ pods: "0" }, { scopes: ["NotBestEffort"] });
    ok("POST", `${ns}/pods`, pod("a"));
    expect(send("POST", `${ns}/pods`, asking("b", "1")).code).toBe(403);
  });
});

it("pods tolerate a lost node for five minutes, or as long as they say", () => {
  const { ok } = session();
  const given = { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
  const { tolerations } = ok("POST", `${ns}/pods`, pod("a", { tolerations: [given] })).spec;
  const unreachable = { ...given, key: "node.kubernetes.io/unreachable", tolerationSeconds: 300 };
  expect(tolerations).toEqual([given, unreachable]);
  const current = ok("GET", `${ns}/pods/a`);
  const mine = { key: "mine", operator: "Exists", effect: "NoSchedule" };
  const updated = ok("PUT", `${ns}/pods/a`, { ...current, spec: { ...current.spec, tolerations: [given, mine] } });
  expect(updated.spec.tolerations).toEqual([given, mine, unreachable]);
});

it("a new node takes no pods yet", () => {
  expect(session().ok("POST", "/api/v1/nodes", { metadata: { name: "n" } }).spec.taints).toEqual([
    { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" },
  ]);
});

it("what admission adds belongs to no client", () => {
  const { managedFields } = session().ok("POST", `${ns}/pods`, pod("a")).metadata;
  expect(JSON.stringify(managedFields)).not.toMatch(/tolerations|kube-api-access|f:priority"/);
});

describe("default classes", () => {
  const storage = "/apis/storage.k8s.io/v1/storageclasses";
  const claim = (name: string, spec: object = {}) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });

  it("claims that name none get the newest that is for all", () => {
    const { ok, clock } = session();
    const make = (name: string, isDefault: boolean) => {
      const annotations = { "storageclass.kubernetes.io/is-default-class": String(isDefault) };
      ok("POST", storage, { metadata: { name, annotations }, provisioner: "example.com/disks" });
      clock.now += 1000;
    };
    expect(ok("POST", `${ns}/persistentvolumeclaims`, claim("before")).spec).not.toHaveProperty("storageClassName");
    make("old", true);
    make("new", true);
    make("other", false);
    const classFor = (name: string, spec: object) =>
      ok("POST", `${ns}/persistentvolumeclaims`, claim(name, spec)).spec.storageClassName;
    expect(classFor("a", {})).toBe("new");
    expect(classFor("b", { storageClassName: "old" })).toBe("old");
    expect(classFor("c", { storageClassName: "" })).toBe("");
  });

  it("so do Ingresses", () => {
    const { ok } = session();
    const networking = "/apis/networking.k8s.io/v1";
    const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
    ok("POST", `${networking}/ingressclasses`, {
      metadata: { name: "web", annotations },
      spec: { controller: "example.com/web" },
    });
    const ingress = (name: string, old: Record<string, string> = {}) => ({
      metadata: { name, annotations: old },
      spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } },
    });
    const path = `${networking}/namespaces/default/ingresses`;
    expect(ok("POST", path, ingress("a")).spec.ingressClassName).toBe("web");
    const old = ok("POST", path, ingress("b", { "kubernetes.io/ingress.class": "nginx" }));
    expect(old.spec).not.toHaveProperty("ingressClassName");
  });
});
