/**
 * Groups of the Kubernetes project are not for everybody.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/2337-k8s.io-group-protection
 */
import { type FieldError, invalidValue, required } from "../../lib/status.ts";

const APPROVED = "api-approved.kubernetes.io";

type Annotations = Readonly<Record<string, string>> | undefined;

/** How a definition stands to the project, and what is to be said of it. */
export type Approval = { state: "Missing" | "Unapproved" | "Approved" | "Invalid"; message: string };

export function approvalOf(annotations: Annotations): Approval {
  const text = annotations?.[APPROVED] ?? "";
  const needed = `protected groups must have approval annotation ${JSON.stringify(APPROVED)}`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (!text) return { state: "Missing", message: `${needed}, ${see}` };
  if (text.startsWith("unapproved")) return { state: "Unapproved", message: `not approved: ${JSON.stringify(text)}` };
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/.test(text)) return { state: "Approved", message: `approved in ${text}` };
  return { state: "Invalid", message: `${needed} with either a URL or a reason starting with "unapproved", ${see}` };
}

export const isProtected = (group = ""): boolean => /(?:^|\.)(?:k8s\.io|kubernetes\.io)$/.test(group);

export function* approvalProblems(group: string | undefined, annotations: Annotations): Iterable<FieldError> {
  if (!isProtected(group)) return;
  const { state, message } = approvalOf(annotations);
  const at = `metadata.annotations[${APPROVED}]`;
  if (state === "Missing") yield required(at, message);
  if (state === "Invalid") yield invalidValue(at, annotations?.[APPROVED], message);
}
