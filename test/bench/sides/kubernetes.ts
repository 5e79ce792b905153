/** Kubernetes' own control plane on this machine, as its releases run it: etcd, then the rest over loopback. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../../agent/effects.ts";
import { ensureCertificates } from "../../../agent/local/certificates.ts";
import { files } from "../../../agent/local/home.ts";
import { kubeconfig } from "../../../agent/local/kubeconfig.ts";
import { freePort } from "../../support/free-port.ts";
import { Server } from "../../support/server.ts";
import { upstreamProgram } from "../../support/upstream.ts";
import { type ControlPlane, type ControlPlaneOptions, firstAnswer } from "../control-plane.ts";
import { memoryOf } from "../processes.ts";
import { progress } from "../progress.ts";

const ISSUER = "https://kubernetes.default.svc";
/** Without these, the clients of both hold themselves back to a few dozen requests a second. */
const UNHURRIED = ["--kube-api-qps=5000", "--kube-api-burst=5000"];

export async function startKubernetes({ controllers }: ControlPlaneOptions): Promise<ControlPlane> {
  const programs = await upstreamPrograms();
  const folder = mkdtempSync(join(tmpdir(), "kubernetes-bench-"));
  await ensureCertificates(folder, effects.now());
  const credentials = prepare(folder);
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const endpoint = {
    url: `https://127.0.0.1:${port}`,
    ca: readFileSync(files(folder).caCertificate, "utf8"),
    token: credentials.token,
  };
  writeFileSync(credentials.kubeconfig, kubeconfig({ name: "bench", server: endpoint.url, ...endpoint }));
  const servers: Server[] = [];
  const stop = async () => {
    for (const server of servers.toReversed()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const begin = (name: keyof typeof programs, args: readonly string[]) =>
    servers.push(new Server(folder, name, programs[name], args));
  try {
    const start = effects.now();
    begin("etcd", etcdFlags(folder, etcdPort, peerPort));
    begin("kube-apiserver", apiserverFlags(folder, port, etcdPort));
    const startMs = await firstAnswer(
      () => endpoint,
      start,
      () => servers,
    );
    if (controllers) {
      const client = [`--kubeconfig=${credentials.kubeconfig}`, "--leader-elect=false", "--secure-port=0"];
      begin("kube-controller-manager", [
        ...client,
        ...UNHURRIED,
        `--service-account-private-key-file=${credentials.key}`,
        `--root-ca-file=${files(folder).caCertificate}`,
      ]);
      begin("kube-scheduler", [...client, ...UNHURRIED]);
    }
    const memory = () => servers.map(({ name, pid }) => memoryOf(name, pid));
    return { endpoint, caFile: files(folder).caCertificate, startMs, memory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function upstreamPrograms() {
  const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
  const paths: string[] = [];
  for (const name of names) paths.push(await upstreamProgram(name, progress));
  return Object.fromEntries(names.map((name, i) => [name, paths[i]])) as Record<(typeof names)[number], string>;
}

function prepare(folder: string): { token: string; key: string; kubeconfig: string } {
  const token = randomBytes(32).toString("base64url");
  const key = join(folder, "service-accounts.key");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(key, privateKey.export({ type: "sec1", format: "pem" }));
  writeFileSync(join(folder, "tokens.csv"), `${token},kubernetes-admin,kubernetes-admin,system:masters\n`);
  return { token, key, kubeconfig: join(folder, "kubeconfig") };
}

const etcdFlags = (folder: string, port: number, peerPort: number) => [
  `--data-dir=${join(folder, "etcd")}`,
  `--listen-client-urls=http://127.0.0.1:${port}`,
  `--advertise-client-urls=http://127.0.0.1:${port}`,
  `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
  "--log-level=warn",
];

const apiserverFlags = (folder: string, port: number, etcdPort: number) => [
  `--etcd-servers=http://127.0.0.1:${etcdPort}`,
  "--bind-address=127.0.0.1",
  `--secure-port=${port}`,
  `--tls-cert-file=${files(folder).certificate}`,
  `--tls-private-key-file=${files(folder).key}`,
  `--token-auth-file=${join(folder, "tokens.csv")}`,
  "--authorization-mode=Node,RBAC",
  "--service-cluster-ip-range=10.97.0.0/16",
  `--service-account-issuer=${ISSUER}`,
  `--service-account-key-file=${join(folder, "service-accounts.key")}`,
  `--service-account-signing-key-file=${join(folder, "service-accounts.key")}`,
];
