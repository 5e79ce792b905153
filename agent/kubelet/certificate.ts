/**
 * What the node's own API shows for itself: a certificate of the cluster's CA, which is asked for as kubelets do, and
 * until there is one a certificate of its own.
 * https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
 */
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1NodeAddress } from "../../worker/kinds/generated/types.ts";
import {
  askCertificate,
  type CertificateAndKey,
  createAuthority,
  issueServer,
  type Names,
} from "../../worker/lib/certificates.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Timers } from "../effects.ts";
import { writeFile } from "../local/home.ts";
import type { Api } from "../volumes/tokens.ts";

export type CertificateParts = {
  home: string;
  node: string;
  api: Api;
  effects: Effects & Timers;
  /** There is another one to show. */
  onChange(): void;
  log(message: string): void;
};

const SIGNER = "kubernetes.io/kubelet-serving";
const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
/** Of a certificate's life: then another one is asked for. */
const RENEWED_AT = 0.8;
/** How long is waited between two looks for an answer, in ms: people may have to give it. */
const LOOKS_MS = [500, 1_000, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000];
const AGAIN_MS = 600_000;
/** Timers reach no further. */
const FURTHEST_MS = 2 ** 31 - 1;

type Request = {
  metadata?: { name?: string };
  status?: { certificate?: string; conditions?: { type: string; message?: string }[] };
};

/** The cluster, or who may speak for it, has said no. */
class Refused extends Error {
  override readonly name = "Refused";
}

export class ServingCertificate {
  readonly #parts: CertificateParts;
  readonly #file: string;
  #current: CertificateAndKey | undefined;
  /** Asked for, or being asked for, for these names: whoever signed it then, it is not asked for again. */
  #names = "";
  #isAsking = false;
  #cancel = () => {};

  constructor(parts: CertificateParts) {
    this.#parts = parts;
    this.#file = join(parts.home, "tls", "kubelet.pem");
    this.#current = this.#stored();
  }

  /** What to show now. */
  async current(addresses: readonly CoreV1NodeAddress[]): Promise<CertificateAndKey> {
    this.#current ??= await this.#own(addresses);
    return this.#current;
  }

  /** When the present one ends, ms since the epoch. */
  ends(): number | undefined {
    return this.#current && Date.parse(new X509Certificate(this.#current.certificate).validTo);
  }

  /** To be called while the cluster can be asked, and when the node's addresses or the cluster's CA may be others. */
  keep(addresses: readonly CoreV1NodeAddress[], ca: string): void {
    const key = JSON.stringify([namesOf(addresses), createHash("sha256").update(ca).digest("hex")]);
    const isSame = key === this.#names || this.#fits(addresses, ca);
    if (this.#isAsking || (isSame && !this.#isDue())) return;
    this.#names = key;
    this.#isAsking = true;
    void this.#ask(addresses)
      .catch((error: unknown) => {
        this.#parts.log(`no serving certificate for this node: ${errorText(error)}`);
        // It is tried again with the next call; who was refused is not to ask on and on.
        if (!(error instanceof Refused)) this.#names = "";
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  stop(): void {
    this.#cancel();
  }

  #fits(addresses: readonly CoreV1NodeAddress[], ca: string): boolean {
    if (!this.#current || !isSignedBy(this.#current.certificate, ca)) return false;
    const { dns, ip } = namesOf(addresses);
    const certificate = new X509Certificate(this.#current.certificate);
    return dns.every((name) => certificate.checkHost(name)) && ip.every((address) => certificate.checkIP(address));
  }

  #isDue(): boolean {
    if (!this.#current) return true;
    const { validFrom, validTo } = new X509Certificate(this.#current.certificate);
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
    return this.#parts.effects.now() >= from + (to - from) * RENEWED_AT;
  }

  async #ask(addresses: readonly CoreV1NodeAddress[]): Promise<void> {
    const { node, api } = this.#parts;
    const subject = { organization: "system:nodes", commonName: `system:node:${node}`, names: namesOf(addresses) };
    const { request, key } = await askCertificate(subject);
    const { code, body } = await api("POST", REQUESTS, {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { generateName: "csr-" },
      spec: { request: btoa(request), signerName: SIGNER, usages: ["digital signature", "server auth"] },
    });
    if (code >= 300) throw new Error(messageOf(body, code));
    const certificate = await this.#answered((body as Request).metadata?.name ?? "");
    writeFile(this.#file, certificate + key);
    this.#current = { certificate, key };
    this.#parts.onChange();
  }

  async #answered(name: string): Promise<string> {
    const { api } = this.#parts;
    for (let look = 0; ; look++) {
      await this.#wait(LOOKS_MS[look] ?? AGAIN_MS);
      const { code, body } = await api("GET", `${REQUESTS}/${name}`).catch(() => ({ code: 0, body: null }));
      if (code === 0) continue; // without an uplink
      if (code >= 300) throw new Error(messageOf(body, code));
      const { certificate, conditions = [] } = (body as Request).status ?? {};
      const refusal = conditions.find(({ type }) => type === "Denied" || type === "Failed");
      if (refusal) throw new Refused(`the request ${name} was ${refusal.type.toLowerCase()}: ${refusal.message ?? ""}`);
      if (certificate) return atob(certificate);
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#cancel = this.#parts.effects.after(Math.min(ms, FURTHEST_MS), resolve);
    });
  }

  #stored(): CertificateAndKey | undefined {
    try {
      const pem = readFileSync(this.#file, "utf8");
      const at = pem.indexOf("-----BEGIN PRIVATE KEY-----");
      const [certificate, key] = [pem.slice(0, at), pem.slice(at)];
      return Date.parse(new X509Certificate(certificate).validTo) > this.#parts.effects.now()
        ? { certificate, key }
        : undefined;
    } catch {
      return undefined;
    }
  }

  async #own(addresses: readonly CoreV1NodeAddress[]): Promise<CertificateAndKey> {
    const now = this.#parts.effects.now();
    const authority = await createAuthority(`${this.#parts.node}-ca`, now);
    return issueServer(authority, this.#parts.node, namesOf(addresses), now);
  }
}

const NAMES = new Set(["Hostname", "InternalDNS", "ExternalDNS"]);

function namesOf(addresses: readonly CoreV1NodeAddress[]): Names {
  const of = (isName: boolean) => [
    ...new Set(addresses.flatMap(({ type, address }) => (NAMES.has(type) === isName ? address : []))),
  ];
  return { dns: of(true).toSorted(), ip: of(false).toSorted() };
}

function isSignedBy(certificate: string, ca: string): boolean {
  try {
    return new X509Certificate(certificate).checkIssued(new X509Certificate(ca));
  } catch {
    return false;
  }
}

const messageOf = (body: unknown, code: number) => (body as { message?: string } | null)?.message ?? `code ${code}`;
