import { expect, test } from "vitest";
import { converted } from "../testing/plan.ts";

type Container = { command?: string[]; args?: string[]; env?: unknown[]; [name: string]: unknown };
type Workload = {
  kind: string;
  metadata: { annotations?: Record<string, string> };
  spec: { [name: string]: unknown; template: { spec: { containers: Container[]; [name: string]: unknown } } };
};

/** A service `web` with these lines, and what else there is. */
const service = (lines: string, rest = "") =>
  converted({
    "compose.yaml": `services:\n  web:\n    image: web\n${lines.replace(/^/gm, "    ")}\n${rest}`,
    "web.conf": "a",
    "site/index.html": "<p>",
    "site/js/app.js": "run()",
  });
const workload = (found: ReturnType<typeof converted>) => found.plan.services[0]?.objects.at(-1) as unknown as Workload;
const container = (lines: string, rest = "") => workload(service(lines, rest)).spec.template.spec.containers[0];
const pod = (lines: string, rest = "") => workload(service(lines, rest)).spec.template.spec;

test.each([
  [`command: serve --title='My site' "a \\"b\\"" x\\ y`, { args: ["serve", "--title=My site", 'a "b"', "x y"] }],
  [`command: sh -c "echo $$(date) $$HOME $$$$"`, { args: ["sh", "-c", "echo $$(date) $HOME $$$"] }],
  ["entrypoint: /run.sh fast", { command: ["/run.sh", "fast"] }],
  ["entrypoint: []\ncommand: [/bin/true]", { command: ["/bin/true"] }],
  ["entrypoint: [/run.sh]\ncommand: [now]", { command: ["/run.sh"], args: ["now"] }],
])("%s", (lines, wanted) => {
  const { command, args } = container(lines) ?? {};
  expect({ command, args }).toEqual(wanted);
});

test.each([
  ["", "Deployment"],
  ["restart: always", "Deployment"],
  ["restart: 'no'", "Job"],
  ["restart: on-failure:3", "Job"],
  ["deploy: { restart_policy: { condition: none } }", "Job"],
  ["deploy: { mode: replicated-job, replicas: 2 }", "Job"],
  ["deploy: { mode: global }", "DaemonSet"],
  ["volumes: ['data:/data']", "StatefulSet"],
  ["volumes: ['data:/data:ro']", "Deployment"],
  ["volumes: ['./data:/data']", "StatefulSet"],
  ["volumes: ['/srv/data:/data:ro', '/cache']", "Deployment"],
])("%s makes a %s", (lines, kind) => {
  expect(workload(service(lines, "volumes: { data: }")).kind).toBe(kind);
});

test("a Job is what others wait for to end, and tells whether it is another than before", () => {
  const found = converted(
    "services: { web: { image: a, depends_on: { setup: { condition: service_completed_successfully } } }, setup: { image: b } }",
  );
  const job = found.find<Workload>("Job", "setup");
  expect(job?.spec).toMatchObject({ backoffLimit: 0, template: { spec: { restartPolicy: "Never" } } });
  expect(job?.metadata.annotations).toEqual({ "skerry.dev/template": expect.stringMatching(/^[0-9a-f]{10}$/) });
  expect(found.plan.services.map(({ name }) => name)).toEqual(["setup", "web"]);
});

test("ports: short and long, ranges, one address, one protocol, any number", () => {
  const found = service(`ports:
  - "8080-8081:80-81"
  - 53:5353/udp
  - "9000"
  - 127.0.0.1:7000:70
  - { target: 90, published: "9090", mode: host, protocol: tcp }
  - "[::1]:6000:60"
expose: ["3000-3001/tcp", 80]`);
  const ports = (name: string) =>
    found.find<{ spec: { ports: { port: number; targetPort: number }[] } }>("Service", name)?.spec.ports;
  expect(ports("web")?.map(({ port }) => port)).toEqual([80, 81, 5353, 9000, 70, 90, 60, 3000, 3001]);
  expect(ports("web-published")).toEqual([
    { name: "tcp-8080", port: 8080, targetPort: 80, protocol: "TCP" },
    { name: "tcp-8081", port: 8081, targetPort: 81, protocol: "TCP" },
    { name: "udp-53", port: 53, targetPort: 5353, protocol: "UDP" },
  ]);
  expect(ports("web-node-port")?.map(({ targetPort }) => targetPort)).toEqual([9000]);
  expect(workload(found).spec).toMatchObject({
    strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    template: {
      spec: {
        containers: [
          {
            ports: expect.arrayContaining([
              { containerPort: 70, hostPort: 7000, protocol: "TCP", hostIP: "127.0.0.1" },
              { containerPort: 90, hostPort: 9090, protocol: "TCP" },
            ]),
          },
        ],
      },
    },
  });
});

test("where files of the folder go: into ConfigMaps what is read, onto the node what is written", () => {
  const found = service(
    "volumes: ['./web.conf:/etc/web.conf:ro', './site:/site:ro', './uploads:/uploads', '/dev/dri:/dev/dri']",
  );
  expect(found.find("ConfigMap", "web-web-conf")).toMatchObject({ data: { "web.conf": "a" } });
  expect(found.find("ConfigMap", "web-site")).toMatchObject({ data: { "index.html": "<p>", "js_app.js": "run()" } });
  expect(workload(found).spec.template.spec).toMatchObject({
    volumes: [
      { configMap: { name: "web-web-conf" } },
      {
        configMap: {
          items: [
            { key: "index.html", path: "index.html" },
            { key: "js_app.js", path: "js/app.js" },
          ],
        },
      },
      { hostPath: { path: "/shop/uploads", type: "DirectoryOrCreate" } },
      { hostPath: { path: "/dev/dri" } },
    ],
  });
  expect(found.told).toEqual([expect.stringContaining("volumes[2]: is /shop/uploads of the node that the pod is on")]);
});

test("volumes that are there already, of a network, of memory", () => {
  const volumes = (lines: string) =>
    (pod("volumes: ['data:/data']", `volumes: { data: ${lines} }`).volumes as Record<string, unknown>[])[0];
  expect(volumes("{ external: true, name: old }")).toEqual({
    name: "data",
    persistentVolumeClaim: { claimName: "old" },
  });
  expect(volumes("{ driver_opts: { type: nfs, o: 'addr=nas,rw', device: ':/x' } }")).toEqual({
    name: "data",
    nfs: { server: "nas", path: "/x" },
  });
  expect(volumes("{ driver_opts: { type: none, o: bind, device: /srv } }")).toMatchObject({
    hostPath: { path: "/srv" },
  });
  expect(pod("tmpfs: [/run:size=64m]\nshm_size: 1gb")).toMatchObject({
    volumes: [
      { emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
      { emptyDir: { medium: "Memory", sizeLimit: "1Gi" } },
    ],
  });
});

test("health is readiness; who is restarted for it says so", () => {
  const check = "healthcheck: { test: [CMD, ok], interval: 1m30s, timeout: 500ms, retries: 2, start_period: 3m }";
  const probe = { exec: { command: ["ok"] }, periodSeconds: 90, timeoutSeconds: 1, failureThreshold: 2 };
  expect(container(check)).toMatchObject({ readinessProbe: probe });
  expect(container(check)).not.toHaveProperty("livenessProbe");
  expect(container(`${check}\nlabels: { skerry.dev/restart-unhealthy: true }`)).toMatchObject({
    livenessProbe: probe,
    startupProbe: { failureThreshold: 4 },
  });
  const often = "healthcheck: { test: [CMD, ok], start_interval: 2s, start_period: 10s, retries: 1 }";
  expect(container(`${often}\nlabels: { skerry.dev/restart-unhealthy: true }`)).toMatchObject({
    readinessProbe: { periodSeconds: 30 },
    livenessProbe: { periodSeconds: 30 },
    startupProbe: { periodSeconds: 2, failureThreshold: 6 },
  });
  expect(container("healthcheck: { test: [NONE] }")).not.toHaveProperty("readinessProbe");
});

test("who is not healthy is found by its name, and gets nothing from an Ingress", () => {
  const found = service("expose: [80, 90]\nlabels: { skerry.dev/ingress: shop.example.com }");
  expect(found.find("Service", "web")).toMatchObject({ spec: { clusterIP: "None", publishNotReadyAddresses: true } });
  const ports = [expect.objectContaining({ port: 80 })];
  const backing = found.find<{ spec: object }>("Service", "web-ingress");
  expect(backing?.spec).toEqual({ selector: expect.objectContaining({ "app.kubernetes.io/name": "web" }), ports });
  expect(JSON.stringify(found.find("Ingress", "web"))).toContain(
    '"service":{"name":"web-ingress","port":{"number":80}}',
  );
});

test("labels of a deployment are its annotations, where they may be called so", () => {
  const found = service("deploy: { labels: { a.b/c: 'any text', 'no name!': x } }");
  expect(workload(found).metadata.annotations).toEqual({ "a.b/c": "any text" });
  expect(found.told).toEqual([expect.stringContaining("no name!: is no name for an annotation, and left out")]);
});

test("security, resources, hosts, placement", () => {
  expect(
    pod(
      `user: "1000:100"
group_add: ["44"]
privileged: false
read_only: true
cap_add: [NET_ADMIN]
cap_drop: [ALL]
security_opt: [no-new-privileges, "seccomp:unconfined"]
sysctls: { net.ipv4.tcp_syncookies: 1 }
extra_hosts: ["db:10.0.0.1"]
hostname: shop
init: true
stop_grace_period: 90s
platform: linux/arm64
deploy: { resources: { limits: { cpus: "0.5", memory: 50M }, reservations: { memory: 20M } } }
volumes: ["data:/data"]`,
      "volumes: { data: }",
    ),
  ).toMatchObject({
    hostname: "shop",
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: 90,
    nodeSelector: { "kubernetes.io/arch": "arm64" },
    hostAliases: [{ ip: "10.0.0.1", hostnames: ["db"] }],
    securityContext: {
      fsGroup: 100,
      supplementalGroups: [44],
      sysctls: [{ name: "net.ipv4.tcp_syncookies", value: "1" }],
    },
    containers: [
      {
        // A limit is no reservation.
        resources: { limits: { cpu: "500m", memory: "50Mi" }, requests: { cpu: "0", memory: "20Mi" } },
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 100,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
          seccompProfile: { type: "Unconfined" },
        },
      },
    ],
  });
});

test("a service begins anew with what its files say, and with what it depends on", () => {
  const annotations = (conf: string, image: string) => {
    const found = converted({
      "compose.yaml": `services:
  db: { image: ${image} }
  web: { image: web, configs: [conf], depends_on: { db: { condition: service_started, restart: true } } }
configs: { conf: { file: conf } }`,
      conf,
    });
    const made = found.find<{ spec: { template: { metadata: { annotations: Record<string, string> } } } }>(
      "Deployment",
      "web",
    );
    return made?.spec.template.metadata.annotations ?? {};
  };
  const [first, other, next] = [annotations("a", "db:1"), annotations("b", "db:1"), annotations("a", "db:2")];
  expect(first).toEqual(annotations("a", "db:1"));
  expect(other["skerry.dev/contents"]).not.toBe(first["skerry.dev/contents"]);
  expect(next["skerry.dev/dependencies"]).not.toBe(first["skerry.dev/dependencies"]);
});

test("names: aliases are Services too, and DNS has no underscores", () => {
  const found = converted(`
services:
  my_db: { image: db, container_name: shop-db, networks: { back: { aliases: [database] } } }
  web: { image: web, environment: { DB: "postgres://my_db:5432/x" }, links: ["my_db:sql"], networks: [back] }
networks: { back: }
`);
  for (const name of ["my-db", "shop-db", "database", "sql"])
    expect(found.find("Service", name)).toMatchObject({
      spec: { clusterIP: "None", selector: { "app.kubernetes.io/name": "my-db" } },
    });
  expect(found.told).toEqual([
    "refused: compose.yaml:4: services.web.environment.DB: my_db is no name in DNS: write my-db, as the service is called here",
    "note: compose.yaml:3: services.my_db: my_db is no name in DNS: others reach it as my-db",
  ]);
});

test.each([
  ["build: .", "nothing is built here"],
  ["devices: [/dev/dri]", "a pod gets a device by a device plugin of its node: or take privileged: true"],
  ["network_mode: service:vpn", "pods do not share a network"],
  ["user: www-data", "www-data is a name: Kubernetes takes numbers"],
  ["volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "there is no Docker on the nodes"],
  ["extra_hosts: ['host.docker.internal:host-gateway']", "which node the pod will be on is not known"],
  ["volumes: ['absent:/data']", "absent is not among the volumes"],
  ["ports: ['22:22']", "port 22 is left to the nodes themselves"],
  ["ports: ['70000:80']", "70000 is no port, nor a range of them"],
  ["ports: [{ published: 80 }]", "needs a target"],
  ["restart: sometimes", "sometimes is none of no, always, on-failure, unless-stopped"],
  ["secrets: [absent]", "absent is not among the secrets"],
  ["mem_limit: lots", "lots is no size like 512m"],
  ["healthcheck: { test: x, interval: soon }", "soon is no duration like 1m30s"],
  ["deploy: { placement: { constraints: [node.role == manager] } }", "nodes have no node.role here"],
  ["depends_on: { web2: { condition: service_healthy } }", "there is no service web2"],
  ["healthcheck: { tests: x }", "there is no such attribute: did you mean test?"],
  ["ulimits: { nofile: 1024 }", "ulimits are a node's own in Kubernetes"],
  ["stop_signal: SIGINT", "a container is stopped by its image's signal"],
])("%s is told", (lines, wanted) => {
  expect(service(lines).told.join("\n")).toContain(wanted);
});
