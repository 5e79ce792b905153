/** The cluster's CA at work: certificates that were asked for and approved. */
import type { Authorizer } from "./api/auth/rules.ts";
import type { CertificateParts, SigningOrder } from "./controllers/certificates/certificates.ts";
import { readCertificateRequest } from "./lib/certificate-requests.ts";
import { type CertificateAndKey, issueAsked } from "./lib/certificates.ts";
import { errorText } from "./lib/error-text.ts";

/** The certificate, or why there is none. */
export async function answerOrder(
  authority: CertificateAndKey,
  { pem, usages, validity }: SigningOrder,
): Promise<{ certificate: string } | { failed: string }> {
  const asked = readCertificateRequest(pem);
  if ("problem" in asked) return { failed: asked.problem };
  try {
    return { certificate: btoa(await issueAsked(authority, asked.read, usages, validity)) };
  } catch (error) {
    return { failed: errorText(error) };
  }
}

/** Who may have a node's certificate without anyone's approval is said by RBAC. */
export const nodeRequests =
  (authorizer: Authorizer): CertificateParts["may"] =>
  ({ username = "", uid, groups = [], extra }, subresource) =>
    authorizer(
      { name: username, groups, ...(uid && { uid }), ...(extra && { extra }) },
      {
        type: "resource",
        verb: "create",
        group: "certificates.k8s.io",
        version: "*",
        resource: "certificatesigningrequests",
        subresource,
        namespace: "",
        name: "",
      },
    ).allowed;
