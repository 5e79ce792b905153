/**
 * Approves what nodes ask for themselves, signs what was approved, and clears away what is done with.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
import { CertificateSigningRequest } from "../../kinds/certificates/certificate-signing-request.ts";
import { Node } from "../../kinds/core/node.ts";
import { readCertificateRequest } from "../../lib/certificate-requests.ts";
import type { Usages, Validity } from "../../lib/certificates.ts";
import { timestamp } from "../../lib/effects.ts";
import { decodePem } from "../../lib/pem.ts";
import { readCertificate } from "../../lib/x509-read.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import {
  KUBELET_CLIENT,
  KUBELET_SERVING,
  kubeletClientProblem,
  kubeletServingProblem,
  nodeNamed,
  SIGNERS,
  usagesOf,
  validityOf,
} from "./signers.ts";

/** One signature: made elsewhere, for it comes asynchronously. */
export type SigningOrder = { pem: string; usages: Usages; validity: Validity };

export type CertificateParts = {
  /** The certificate (PEM, base64), or why there is none; undefined while it is being made: the key runs again then. */
  sign(key: string, print: string, order: SigningOrder): { certificate: string } | { failed: string } | undefined;
  /** Whether who asked may create a part of a CertificateSigningRequest, which says whether it needs no one's approval. */
  may(spec: CertificateSigningRequest["spec"], subresource: string): boolean;
};

export const CERTIFICATES = "certificate-controller";

export function certificateController(parts: CertificateParts): Controller {
  return {
    name: CERTIFICATES,
    watches: [watch(CertificateSigningRequest, ownKey)],
    reconcile(view, key, { now }) {
      const request = view.get(CertificateSigningRequest, "", splitKey(key)[1]);
      if (!request) return [];
      const ends = endOf(request, now);
      if (ends <= now) return [removal(request)];
      const again: Intent[] = Number.isFinite(ends) ? [{ do: "again", afterMs: ends - now }] : [];
      return [...(approval(parts, view, request) ?? signature(parts, key, request, now)), ...again];
    },
  };
}

type Request = Readonly<CertificateSigningRequest>;

const conditionOf = ({ status }: Request, wanted: string) => status?.conditions?.find(({ type }) => type === wanted);

function withCondition(request: Request, type: string, reason: string, message: string, now?: number): Request {
  const condition = { type, status: "True", reason, message, ...(now && { lastUpdateTime: timestamp(now) }) };
  return { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] } };
}

const SELF = "Auto approving self kubelet client certificate after SubjectAccessReview.";
const OTHER = "Auto approving kubelet client certificate after SubjectAccessReview.";

const SERVING = "Auto approving kubelet serving certificate: it is for the node's own addresses.";

/** Undefined where it is decided already, or is not ours to decide. */
function approval({ may }: CertificateParts, view: View, request: Request): Intent[] | undefined {
  const { spec, status } = request;
  if (status?.certificate || conditionOf(request, "Approved") || conditionOf(request, "Denied")) return undefined;
  if (spec.signerName === KUBELET_SERVING && isForOwnAddresses(view, spec)) return [approved(request, SERVING)];
  if (spec.signerName !== KUBELET_CLIENT) return undefined;
  const asked = readCertificateRequest(spec.request);
  if ("problem" in asked || kubeletClientProblem(asked, spec.usages ?? [])) return undefined;
  const isSelf = spec.username === asked.commonName;
  const message = (isSelf && may(spec, "selfnodeclient") && SELF) || (may(spec, "nodeclient") && OTHER);
  return message ? [approved(request, message)] : undefined;
}

function approved(request: Request, message: string): Intent {
  const object = withCondition(request, "Approved", "AutoApproved", message);
  return { do: "update", kind: CertificateSigningRequest, object, subresource: "approval" };
}

/** Nodes say themselves what their addresses are; what they serve there may be believed to be theirs, and no more. */
function isForOwnAddresses(view: View, { request, usages = [], username }: Request["spec"]): boolean {
  const asked = readCertificateRequest(request);
  if ("problem" in asked || asked.commonName !== username || kubeletServingProblem(asked, usages)) return false;
  const node = view.get(Node, "", nodeNamed(username));
  const addresses = new Set(node?.status?.addresses?.map(({ address }) => address));
  return [...asked.names.dns, ...asked.names.ip].every((name) => addresses.has(name));
}

function signature({ sign }: CertificateParts, key: string, request: Request, now: number): Intent[] {
  const { spec, status, metadata } = request;
  if (status?.certificate || !conditionOf(request, "Approved")) return [];
  if (conditionOf(request, "Denied") || conditionOf(request, "Failed")) return [];
  const check = SIGNERS[spec.signerName];
  const asked = readCertificateRequest(spec.request);
  if (!check || "problem" in asked) return [];
  const usages = spec.usages ?? [];
  const problem = check(asked, usages);
  const written = (object: Request): Intent[] => [{ do: "updateStatus", kind: CertificateSigningRequest, object }];
  if (problem) return written(withCondition(request, "Failed", "SignerValidationFailure", problem, now));
  const order = { pem: spec.request, usages: usagesOf(usages), validity: validityOf(spec, now) };
  const made = sign(key, metadata.uid ?? "", order);
  if (!made) return [];
  if ("failed" in made) return written(withCondition(request, "Failed", "SignerValidationFailure", made.failed, now));
  return written({ ...request, status: { ...status, certificate: made.certificate } });
}

const HOUR_MS = 3_600_000;
/** How long requests are kept, from what was last said about them. */
const DECIDED_MS = HOUR_MS;
const OPEN_MS = 24 * HOUR_MS;

/** When a request is to be cleared away, ms; never, where it is Infinity. */
function endOf(request: Request, now: number): number {
  const { metadata, status } = request;
  const created = Date.parse(metadata.creationTimestamp ?? timestamp(now));
  const after = (type: string, ms: number) => {
    const { lastUpdateTime } = conditionOf(request, type) ?? {};
    return lastUpdateTime ? Date.parse(lastUpdateTime) + ms : Number.POSITIVE_INFINITY;
  };
  const ends = [
    after("Denied", DECIDED_MS),
    after("Failed", DECIDED_MS),
    after("Approved", status?.certificate ? DECIDED_MS : OPEN_MS),
    status?.certificate && conditionOf(request, "Approved") ? expiryOf(status.certificate) : Number.POSITIVE_INFINITY,
    status?.conditions?.length ? Number.POSITIVE_INFINITY : created + OPEN_MS,
  ];
  return Math.min(...ends);
}

function expiryOf(certificate: string): number {
  try {
    const [block] = decodePem(atob(certificate));
    return block ? readCertificate(block.bytes).notAfter : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

const removal = ({ metadata }: Request): Intent => ({
  do: "delete",
  kind: CertificateSigningRequest,
  namespace: "",
  name: metadata.name ?? "",
  uid: metadata.uid ?? "",
});
