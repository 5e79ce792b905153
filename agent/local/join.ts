/** Makes this machine a node of a cluster: trades a join token for a credential of its own. */
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:tls";
import type { KubeletConfiguration } from "../node/settings.ts";
import { files, writeFile } from "./home.ts";
import { checked, open, read } from "./http.ts";

/** What a node knows of its cluster, in `$SKERRY_HOME/node.json`. */
export type NodeIdentity = {
  /** `https://HOST/clusters/NAME` */
  server: string;
  node: string;
  token: string;
  /** PEM; absent where the system trusts the server's certificate. */
  ca?: string;
  /** The address that other nodes reach this one by, where the user chose it. */
  address?: string;
  /** The port of the node's own API, where the user chose it; 0 for none. */
  kubeletPort?: number;
  /** What the user last said of the node's resources. */
  configuration?: KubeletConfiguration;
};

export function readIdentity(home: string): NodeIdentity | undefined {
  const path = files(home).node;
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

export type JoinOptions = {
  server: string;
  token: string;
  node: string;
  ca?: string;
  address?: string;
};

/**
 * `POST /skerry/join`; the answer's credential is written before anything uses it. Another node than this disk was has a
 * WireGuard key of its own: who still has the disk that this is a copy of has the former one.
 */
export async function join(home: string, options: JoinOptions): Promise<NodeIdentity> {
  const { server, token, node, ca, address } = options;
  const bytes = Buffer.from(JSON.stringify({ token, name: node }));
  const path = "/skerry/join";
  const { body } = checked(
    "POST",
    path,
    await read(await open({ url: server, ca, anyTime: true }, "POST", path, { bytes })),
  );
  const identity: NodeIdentity = {
    server,
    node,
    token: String(body.token),
    ...(ca ? { ca } : {}),
    ...(address ? { address } : {}),
  };
  const former = readIdentity(home);
  if (former?.node !== node || former.server !== server) rmSync(files(home).wireguardKey, { force: true });
  writeIdentity(home, identity);
  return identity;
}

export function writeIdentity(home: string, identity: NodeIdentity): void {
  writeFile(files(home).node, `${JSON.stringify(identity, null, 2)}\n`);
}

/** Takes in what the user has chosen anew of a machine that joined before. */
export function choose(home: string, chosen: Pick<NodeIdentity, "address" | "kubeletPort" | "configuration">): void {
  const known = readIdentity(home);
  const wanted = Object.entries(chosen).filter(([, value]) => value !== undefined);
  if (!known || wanted.every(([name, value]) => same(known[name as keyof typeof chosen], value))) return;
  writeIdentity(home, { ...known, ...Object.fromEntries(wanted) });
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const hashOfCa = (pem: string) =>
  `sha256:${createHash("sha256").update(new X509Certificate(pem).raw).digest("hex")}`;

/**
 * The CA that a server presents, if its certificate has the expected hash: trust on a fingerprint that came with the
 * join command, as kubeadm's `--discovery-token-ca-cert-hash` does.
 */
export function fetchCa(server: string, expectedHash: string): Promise<string> {
  const url = new URL(server);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      servername: "localhost",
      rejectUnauthorized: false,
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer from ${url.host}`)));
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      let certificate = socket.getPeerX509Certificate();
      while (certificate) {
        const pem = certificate.toString();
        if (hashOfCa(pem) === expectedHash) {
          resolve(pem);
          return socket.end();
        }
        certificate = certificate.issuerCertificate;
      }
      reject(new Error(`${url.host} presents no certificate with the hash ${expectedHash}`));
      socket.destroy();
    });
  });
}
