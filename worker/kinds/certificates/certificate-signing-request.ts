import { humanDuration } from "../../lib/duration.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CertificatesV1CertificateSigningRequest, Schemas } from "../generated/types.ts";
import {
  validateCertificateSigningRequest,
  validateCertificateSigningRequestUpdate,
} from "../validation/certificate-signing-request.ts";

/** https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/ */
export type CertificateSigningRequest = Schemas["io.k8s.api.certificates.v1.CertificateSigningRequest"];
export const CertificateSigningRequest = defineKind({
  schema: "io.k8s.api.certificates.v1.CertificateSigningRequest",
  statusEndpoints: ["status", "approval"],
  resetFields: (subresource) => RESET[subresource] ?? ["spec", "status"],
  nameProblems: () => [],
  /** What is asked for never changes; approval says yes or no and nothing else. */
  prepareForUpdate(request, old, subresource) {
    request.spec = old.spec;
    if (subresource !== "approval") return;
    const { conditions } = request.status ?? {};
    request.status = { ...old.status, ...(conditions?.length && { conditions }) };
    if (!conditions?.length) delete request.status.conditions;
  },
  validate: validateCertificateSigningRequest,
  validateUpdate: validateCertificateSigningRequestUpdate,
  columns: [
    nameColumn,
    ageColumn,
    { name: "SignerName", type: "string", value: ({ spec }) => spec?.signerName || "<none>" },
    { name: "Requestor", type: "string", value: ({ spec }) => spec?.username ?? "" },
    {
      name: "RequestedDuration",
      type: "string",
      value: ({ spec }) => (spec?.expirationSeconds ? humanDuration(spec.expirationSeconds * 1000) : "<none>"),
    },
    { name: "Condition", type: "string", value: condition },
  ],
});

const RESET: Readonly<Record<string, readonly string[]>> = {
  approval: ["spec", "status.certificate"],
  status: ["spec", "status.conditions"],
};

function condition({ status }: CertificatesV1CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const decided = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  return [decided, ...(types.has("Failed") ? ["Failed"] : []), ...(status?.certificate ? ["Issued"] : [])].join(",");
}
