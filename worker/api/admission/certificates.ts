import type { CertificatesV1CertificateSigningRequest as Request } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { readCertificateRequest } from "../../lib/certificate-requests.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, refusal } from "./admission.ts";

const RESOURCE = "certificatesigningrequests.certificates.k8s.io";
const API_CLIENT = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

/**
 * Who may approve and sign requests for certificates, by the signer that they name, and what none may ask for.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#certificateapproval
 */
export const certificates: Admission = {
  name: "Certificates",
  admits(operation) {
    const { kind, action, subresource, object, old } = operation;
    if (kind.groupResource !== RESOURCE || action === "DELETE") return;
    if (subresource === "") return refuseMasters(operation);
    const { spec, status } = old as Request;
    const verb = subresource === "approval" ? "approve" : "sign";
    const changed = object as unknown as Request;
    if (verb === "sign" && same(status ?? {}, changed.status ?? {})) return;
    if (!may(operation, verb, spec.signerName))
      throw refusal(
        operation,
        `user not permitted to ${verb} requests with signerName ${JSON.stringify(spec.signerName)}`,
      );
  },
};

/** The right to one signer, or to all of its domain. */
function may({ core, user }: Operation, verb: string, signer: string): boolean {
  if (!core.authorizer) return true;
  const attributes = {
    type: "resource",
    verb,
    group: "certificates.k8s.io",
    version: "*",
    resource: "signers",
  } as const;
  return [signer, `${signer.split("/")[0]}/*`].some(
    (name) => core.authorizer?.(user, { ...attributes, subresource: "", namespace: "", name }).allowed,
  );
}

function refuseMasters(operation: Operation): void {
  const { spec } = operation.object as unknown as Request;
  if (operation.action !== "CREATE" || spec?.signerName !== API_CLIENT) return;
  const read = readCertificateRequest(spec.request);
  if ("organizations" in read && read.organizations.includes(MASTERS))
    throw refusal(operation, `use of ${API_CLIENT} signer with system:masters group is not allowed`);
}
