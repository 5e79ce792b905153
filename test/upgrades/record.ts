/**
 * Records what a release stores: `node test/upgrades/record.ts COMMIT NAME` starts that commit's control plane, makes a few
 * objects as users do, and keeps its database as SQL text (NAME.sql.gz) and what it then said (NAME.json). A released
 * migration gets one, and no recording is ever made anew: clusters like it are out there.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { effects } from "../../agent/effects.ts";
import { administrator } from "../../agent/local/credentials.ts";
import { send } from "../../agent/local/http.ts";
import { run, spawn } from "../../agent/process.ts";
import { freePort } from "../support/free-port.ts";

const ROOT = join(import.meta.dirname, "../..");
const START_MS = 120_000;

const OBJECTS = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: Secret
metadata: { name: password, namespace: shop }
stringData: { value: open sesame }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page, namespace: shop, labels: { app: web } }
data: { text: "é \\n \\"" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: c, image: busybox, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, type: NodePort, ports: [{ port: 80 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: shop-admin }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: ServiceAccount, name: default, namespace: shop }]
`;
/** What is read back, by path. */
const READ = [
  "/api/v1/namespaces/shop",
  "/api/v1/namespaces/shop/secrets/password",
  "/api/v1/namespaces/shop/configmaps/page",
  "/apis/apps/v1/namespaces/shop/deployments/web",
  "/api/v1/namespaces/shop/services/web",
  "/api/v1/nodes/a",
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/shop-admin",
];

const [commit, name] = process.argv.slice(2);
if (!commit || !name) throw new Error("node test/upgrades/record.ts COMMIT NAME");
const folder = mkdtempSync(join(tmpdir(), "skerry-record-"));
const source = join(folder, "source");
const home = { path: join(folder, "home"), port: await freePort() };
const environment = { ...process.env, SKERRY_HOME: home.path, SKERRY_PORT: String(home.port) };

async function must(program: string, args: string[], input?: string): Promise<string> {
  const done = await run(program, args, { env: { ...environment, KUBECONFIG: join(home.path, "kubeconfig") }, input });
  if (done.code !== 0)
    throw new Error(`${program} ${args.join(" ")} ended with ${done.code}:\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** All tables of the cluster, as statements. */
function dump(path: string): string {
  const database = new DatabaseSync(path);
  const lines: string[] = [];
  const schema = database.prepare(
    "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  );
  const parts = schema.all() as { name: string; type: string; sql: string }[];
  const text = (value: unknown): string => {
    if (value === null || typeof value === "number" || typeof value === "bigint")
      return value === null ? "NULL" : String(value);
    if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
    return `'${String(value).replaceAll("'", "''")}'`;
  };
  for (const { type, name: table, sql } of parts.toSorted((a, b) => b.type.localeCompare(a.type))) {
    lines.push(`${sql};`);
    if (type !== "table") continue;
    for (const row of database.prepare(`SELECT * FROM ${table}`).all())
      lines.push(`INSERT INTO ${table} VALUES (${Object.values(row).map(text).join(", ")});`);
  }
  database.close();
  return `${lines.join("\n")}\n`;
}

await must("git", ["clone", "-q", "--shared", ROOT, source]);
await must("git", ["-C", source, "checkout", "-q", "--detach", commit]);
symlinkSync(join(ROOT, "node_modules"), join(source, "node_modules"));
const child = spawn(process.execPath, [join(source, "agent/main.ts"), "up", "--no-agent"], {
  env: environment,
  stdio: "ignore",
});
try {
  const end = effects.now() + START_MS;
  const answers = async () =>
    (await run("kubectl", ["--kubeconfig", join(home.path, "kubeconfig"), "get", "ns"])).code === 0;
  while (!(await answers())) {
    if (effects.now() > end) throw new Error("it does not answer");
    await effects.sleep(500);
  }
  const server = await administrator(home);
  const ask = async (method: string, path: string, body?: unknown) => (await send(server, method, path, body)).body;
  await must("kubectl", ["apply", "-f", "-"], OBJECTS);
  const { token: joinToken } = await ask("POST", "/skerry/tokens", { ttlSeconds: 86_400 });
  const { token: nodeToken } = await ask("POST", "/skerry/join", { token: joinToken, name: "a" });
  await ask("POST", "/api/v1/nodes", { metadata: { name: "a" } });
  const page = await ask("GET", "/api/v1/namespaces/shop/configmaps/page");
  await ask("PUT", "/api/v1/namespaces/shop/configmaps/page", { ...page, data: { text: "changed" } });
  await effects.sleep(3000); // controllers come to rest
  const { status } = await ask("POST", "/api/v1/namespaces/shop/serviceaccounts/default/token", { spec: {} });
  const objects: Record<string, unknown> = {};
  for (const path of READ) objects[path] = await ask("GET", path);
  const { metadata } = await ask("GET", "/api/v1/namespaces/shop/pods");
  const said = {
    commit: (await must("git", ["-C", source, "rev-parse", "--short", "HEAD"])).trim(),
    now: effects.now(),
    revision: Number((metadata as { resourceVersion: string }).resourceVersion),
    nodeToken,
    accountToken: (status as { token: string }).token,
    objects,
  };
  // A secret of a machine that was there for a minute: what is stored may be sealed under it.
  const secret = readFileSync(join(home.path, "secret"), "utf8").trim();
  writeFileSync(
    join(import.meta.dirname, `recorded/${name}.json`),
    `${JSON.stringify({ ...said, secret }, undefined, 2)}\n`,
  );
} finally {
  child.kill("SIGTERM");
  if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
}
const storage = join(home.path, "storage/skerry-cluster");
const [file] = readdirSync(storage).filter((found) => found.endsWith(".sqlite"));
writeFileSync(
  join(import.meta.dirname, `recorded/${name}.sql.gz`),
  gzipSync(dump(join(storage, file ?? "")), { level: 9 }),
);
rmSync(folder, { recursive: true, force: true });
