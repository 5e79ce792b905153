/**
 * What the signers of kubernetes.io put into certificates, and for whom.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
 */
import type { CertificateSigningRequest } from "../../kinds/certificates/certificate-signing-request.ts";
import type { CertificateRequest } from "../../lib/certificate-requests.ts";
import type { Usages, Validity } from "../../lib/certificates.ts";

export const KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet";
export const KUBELET_SERVING = "kubernetes.io/kubelet-serving";

const NODES = "system:nodes";
const NODE_PREFIX = "system:node:";

/** The node that a user is. */
export const nodeNamed = (username = ""): string =>
  username.startsWith(NODE_PREFIX) ? username.slice(NODE_PREFIX.length) : "";

const sameSet = (a: readonly string[], b: readonly string[]) => a.toSorted().join() === b.toSorted().join();

/** With RSA keys that encipher, or without. */
const isFor = (usages: readonly string[], purpose: string) =>
  sameSet(usages, ["digital signature", "key encipherment", purpose]) ||
  sameSet(usages, ["digital signature", purpose]);

const usagesProblem = (purpose: string) =>
  `usages did not match [${["digital signature", "key encipherment", purpose].toSorted().join(" ")}]`;

type Check = (asked: CertificateRequest, usages: readonly string[]) => string | undefined;

export const kubeletClientProblem: Check = ({ organizations, commonName, names }, usages) => {
  if (!sameSet(organizations, [NODES])) return "subject organization is not system:nodes";
  if (names.dns.length) return "DNS subjectAltNames are not allowed";
  if (names.emails.length) return "Email subjectAltNames are not allowed";
  if (names.ip.length) return "IP subjectAltNames are not allowed";
  if (names.uris.length) return "URI subjectAltNames are not allowed";
  if (!commonName.startsWith(NODE_PREFIX)) return "subject common name does not begin with system:node:";
  return isFor(usages, "client auth") ? undefined : usagesProblem("client auth");
};

export const kubeletServingProblem: Check = ({ organizations, commonName, names }, usages) => {
  if (!sameSet(organizations, [NODES])) return "subject organization is not system:nodes";
  if (!names.dns.length && !names.ip.length) return "DNS or IP subjectAltName is required";
  if (names.emails.length) return "Email subjectAltNames are not allowed";
  if (names.uris.length) return "URI subjectAltNames are not allowed";
  if (!isFor(usages, "server auth")) return usagesProblem("server auth");
  return commonName.startsWith(NODE_PREFIX) ? undefined : "subject common name does not begin with system:node:";
};

const clientProblem: Check = (_, usages) => {
  const other = usages.find((usage) => !["digital signature", "key encipherment", "client auth"].includes(usage));
  if (other) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
};

/** Why a signer refuses; requests to signers that are not here are others' affair. */
export const SIGNERS: Readonly<Record<string, Check>> = {
  "kubernetes.io/kube-apiserver-client": clientProblem,
  [KUBELET_CLIENT]: kubeletClientProblem,
  [KUBELET_SERVING]: kubeletServingProblem,
};

/** Numbers of RFC 5280, 4.2.1.3. */
const KEY_USAGES: Readonly<Record<string, number>> = { "digital signature": 0, "key encipherment": 2 };
/** Ids of RFC 5280, 4.2.1.12. */
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  "client auth": "1.3.6.1.5.5.7.3.2",
  "server auth": "1.3.6.1.5.5.7.3.1",
};

export const usagesOf = (usages: readonly string[]): Usages => ({
  key: usages.flatMap((usage) => KEY_USAGES[usage] ?? []),
  extended: usages.flatMap((usage) => EXTENDED_USAGES[usage] ?? []),
});

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** As kube-controller-manager's `--cluster-signing-duration`. */
const LONGEST_MS = 365 * 24 * HOUR_MS;
const SHORTEST_MS = 10 * MINUTE_MS;
/** Other clocks may be behind. */
const BACKDATED_MS = 5 * MINUTE_MS;
/** What lasts shorter is not shortened by that. */
const SHORT_MS = 8 * HOUR_MS;

export function validityOf({ expirationSeconds }: CertificateSigningRequest["spec"], now: number): Validity {
  const wanted = expirationSeconds === undefined ? LONGEST_MS : expirationSeconds * 1000;
  const lasts = Math.max(SHORTEST_MS, Math.min(LONGEST_MS, wanted));
  return { notBefore: now - BACKDATED_MS, notAfter: now + (lasts < SHORT_MS ? lasts : lasts - BACKDATED_MS) };
}
