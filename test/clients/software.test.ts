/** Software of others, as it comes: its own charts and manifests, programs built from its modules. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mainAddress } from "../../agent/node/facts.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { checked, ensureHelm, envoy } from "../support/programs.ts";
import { moduleSource, type UpstreamName, upstreamProgram } from "../support/upstream.ts";

const PROGRAMS = [
  "cert-manager",
  "cert-manager-webhook",
  "cert-manager-cainjector",
  "coredns",
  "contour",
  "kube-state-metrics",
] as const satisfies UpstreamName[];

let cluster: TestCluster;
let helm: string;
let envoyProgram: string;
/** Where each lies. */
const built = {} as Record<(typeof PROGRAMS)[number], string>;
let folder: string;
let https = 0;

beforeAll(async () => {
  helm = await ensureHelm();
  envoyProgram = await envoy();
  for (const name of PROGRAMS) built[name] = await upstreamProgram(name, console.log);
  folder = mkdtempSync(join(tmpdir(), "skerry-software-"));
  https = await freePort();
  const ports = ["--ingress-http-port", `${await freePort()}`, "--ingress-https-port", `${https}`];
  cluster = await TestCluster.start({ flags: ["--node-name", "node-a", ...ports] });
});
afterAll(async () => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  await cluster?.stop();
});

const deployed = (namespace: string, ...names: string[]) =>
  Promise.all(names.map((name) => cluster.ok(`rollout status -n ${namespace} ${name} --timeout=150s`)));

const web = (name: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
        - name: c
          image: busybox:test
          command: [sh, -c, "mkdir /www; echo ${name} >/www/index.html; exec httpd -f -p 8080 -h /www"]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
`;

const ingress = (name: string, host: string, more: { annotations?: string; spec?: string } = {}) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, annotations: { ${more.annotations ?? ""} } }
spec:
  ${more.spec ?? ""}
  rules:
    - host: ${host}
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: ${name}, port: { name: http } } } }] }
`;

describe("cert-manager", () => {
  beforeAll(async () => {
    const images = {
      controller: built["cert-manager"],
      webhook: built["cert-manager-webhook"],
      cainjector: built["cert-manager-cainjector"],
    };
    for (const [name, program] of Object.entries(images)) {
      const tag = `cert-manager-${name}:test`;
      await cluster.load({ tag, programs: { [name]: program }, entrypoint: [name], user: "1000" });
    }
    const deploy = join(await moduleSource("cert-manager"), "deploy");
    const chart = join(folder, "cert-manager");
    cpSync(join(deploy, "charts/cert-manager"), chart, { recursive: true });
    await checked("chmod", ["-R", "u+w", chart]);
    // What their release makes of these: the chart's version, and the CRDs as a template.
    writeFileSync(
      join(chart, "Chart.yaml"),
      readFileSync(join(chart, "Chart.template.yaml"), "utf8").replaceAll("v0.1.0", "v1.11.5"),
    );
    for (const file of readdirSync(join(deploy, "crds")).filter((name) => name.startsWith("crd-")))
      cpSync(join(deploy, "crds", file), join(chart, "templates", file));
    const image = (at: string, name: string) => [
      "--set",
      `${at}image.repository=cert-manager-${name},${at}image.tag=test`,
    ];
    const args = ["install", "cert-manager", chart, "--namespace", "cert-manager", "--create-namespace"];
    const values = [image("", "controller"), image("webhook.", "webhook"), image("cainjector.", "cainjector")].flat();
    const homes = ["CACHE", "CONFIG", "DATA"].map((name) => `HELM_${name}_HOME=${folder}/helm`);
    const done = await cluster.kubectl(
      [...homes, helm, ...args, ...values, "--set", "startupapicheck.enabled=false", "--wait", "--timeout", "300s"],
      { kubectl: "env" },
    );
    if (done.code !== 0) throw new Error(`helm ended with ${done.code}: ${done.all}\n${cluster.logs()}`);
  });

  test("issues a certificate by an authority that it signed itself", async () => {
    const issuers = `
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: self-signed }
spec: { selfSigned: {} }
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: authority, namespace: cert-manager }
spec: { isCA: true, commonName: home, secretName: authority, privateKey: { algorithm: ECDSA }, issuerRef: { name: self-signed, kind: ClusterIssuer } }
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: home }
spec: { ca: { secretName: authority } }
`;
    // Its webhook's certificate reaches the API a moment after the webhook is ready.
    await eventually("its webhook answers", () => cluster.apply(issuers).then(() => true));
    await cluster.ok("wait --for=condition=Ready clusterissuer/home --timeout=60s");
    const rows = /NAMESPACE +NAME +READY +SECRET +AGE\ncert-manager +authority +True +authority /;
    await eventually("it is told", async () => rows.test(await cluster.ok("get certificates -A")));
  });

  test("its webhook refuses what is wrong, in its own words", async () => {
    const { code, all } = await cluster.kubectl("apply -f -", {
      input:
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: { name: empty }\nspec: { secretName: x, issuerRef: { name: home } }\n",
    });
    expect(code).toBe(1);
    expect(all).toContain('admission webhook "webhook.cert-manager.io" denied the request: spec: Invalid value');
  });

  test("gives an Ingress its certificate, which clients are then shown", async () => {
    const more = {
      annotations: "cert-manager.io/cluster-issuer: home",
      spec: "tls: [{ hosts: [certified.example.com], secretName: certified-tls }]",
    };
    await cluster.apply(web("certified") + ingress("certified", "certified.example.com", more));
    await deployed("default", "deployment/certified");
    await cluster.ok("wait --for=condition=Ready certificate/certified-tls --timeout=60s");
    const shown = await eventually("the node shows it", async () => {
      const names = await certificateOf("certified.example.com");
      return names.issuer === "home" && names;
    });
    expect(shown.names).toBe("DNS:certified.example.com");
  });
});

/** What the node shows to clients that ask for this name. */
function certificateOf(servername: string): Promise<{ names: string; issuer: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: https, servername, rejectUnauthorized: false }, () => {
      const { subjectaltname, issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ names: subjectaltname ?? "", issuer: String(issuer.CN) });
    });
    socket.on("error", reject);
  });
}

describe("CoreDNS", () => {
  test("answers for the cluster's Services and pods, from a Deployment", async () => {
    await cluster.load({
      tag: "coredns:test",
      programs: { coredns: built.coredns },
      entrypoint: ["coredns"],
    });
    await cluster.apply(readFileSync(join(import.meta.dirname, "testdata/coredns.yaml"), "utf8"));
    await cluster.apply(web("named"));
    await deployed("dns", "deployment/coredns");
    await deployed("default", "deployment/named");
    const dns = await cluster.ok("get service -n dns coredns -o jsonpath={.spec.clusterIP}");
    const named = await cluster.ok("get service named -o jsonpath={.spec.clusterIP}");
    await cluster.ok("run asker --image=busybox:test --restart=Never -- sleep 3600");
    await cluster.ok("wait --for=condition=Ready pod/asker --timeout=60s");
    const ask = (name: string) => cluster.kubectl(["exec", "asker", "--", "nslookup", name, dns]);
    await eventually("it knows the Service", async () => {
      const { stdout } = await ask("named.default.svc.cluster.local");
      return stdout.includes(named);
    });
    const none = await ask("nobody.default.svc.cluster.local");
    expect(none.all).toMatch(/NXDOMAIN|can't find|can't resolve/);
  });
});

describe("kube-state-metrics", () => {
  test("tells the states of objects, by its own manifests, and follows them", async () => {
    const manifests = join(await moduleSource("kube-state-metrics"), "examples/standard");
    const yaml = readdirSync(manifests)
      .filter((name) => name !== "kustomization.yaml")
      .map((name) => readFileSync(join(manifests, name), "utf8"))
      .join("\n---\n");
    const tag = yaml.match(/image: (\S+)/)?.[1] ?? "";
    const programs = { "kube-state-metrics": built["kube-state-metrics"] };
    await cluster.load({ tag, programs, entrypoint: ["kube-state-metrics"] });
    await cluster.apply(`${yaml}\n---\n${web("counted")}`);
    await deployed("default", "deployment/counted");
    await deployed("kube-system", "deployment/kube-state-metrics");
    const told = () =>
      cluster.ok("get --raw /api/v1/namespaces/kube-system/services/kube-state-metrics:8080/proxy/metrics");
    const replicas = 'kube_deployment_status_replicas_available{namespace="default",deployment="counted"}';
    await eventually("it has counted", async () => (await told()).includes(`${replicas} 1\n`));
    expect(await told()).toContain('kube_node_status_condition{node="node-a",condition="Ready",status="true"} 1\n');
    await cluster.ok("scale deployment counted --replicas=2");
    await eventually("it follows", async () => (await told()).includes(`${replicas} 2\n`));
    // Every kind that it asks for is there: its informers say so where one is not.
    const log = await cluster.ok("logs -n kube-system deployment/kube-state-metrics");
    expect(log).not.toMatch(/failed to (list|watch)/i);
  });
});

describe("Contour", () => {
  test("and its Envoy serve the Ingresses of its class", async () => {
    const { stdout } = await checked("ldd", [envoyProgram]);
    const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
    const manifests = join(await moduleSource("contour"), "examples/contour");
    const yaml = readdirSync(manifests)
      .filter((name) => name.endsWith(".yaml"))
      .toSorted()
      .map((name) => readFileSync(join(manifests, name), "utf8"));
    const imageOf = (what: string) => yaml.join("\n").match(new RegExp(`image: (\\S*/${what}:\\S*)`))?.[1] ?? "";
    await cluster.load({ tag: imageOf("contour"), programs: { contour: built.contour } });
    await cluster.load({
      tag: imageOf("envoy"),
      programs: { envoy: envoyProgram },
      files: Object.fromEntries(libraries.map((path) => [path, path])),
    });
    await cluster.apply(yaml.join("\n---\n"));
    await deployed("projectcontour", "deployment/contour", "daemonset/envoy");
    await cluster.apply(
      `apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: contour }\nspec: { controller: projectcontour.io/ingress-controller }\n---\n${web("routed")}${ingress("routed", "routed.example.com", { spec: "ingressClassName: contour" })}`,
    );
    await deployed("default", "deployment/routed");
    const address = await cluster.ok("get service -n projectcontour envoy -o jsonpath={.spec.clusterIP}");
    expect(await eventually("Envoy answers", () => asked(address, "routed.example.com"))).toBe("routed\n");
    // The Ingress has the address that its load balancer has.
    await eventually("the Ingress has an address", async () =>
      (await cluster.ok("get ingress routed")).includes(mainAddress() ?? "no address"),
    );
  });
});

/** The answer's body; undefined for anything but 200. */
function asked(address: string, host: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: address, path: "/", headers: { host }, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? text : undefined));
      response.on("error", reject);
    }).on("error", reject);
  });
}
