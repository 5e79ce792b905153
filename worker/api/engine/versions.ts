import { ApiError, badRequest, type FieldError, forbiddenField, invalid, notSupported } from "../../lib/status.ts";

/**
 * What a read says about how fresh it must be.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export type VersionQuery = {
  resourceVersion: string;
  match: string;
  sendInitialEvents: boolean | undefined;
  isWatch: boolean;
};

const MATCHES = ["Exact", "NotOlderThan", ""];
const FIELD = "resourceVersionMatch";

/** Throws 422 for combinations that make no sense, as ListOptions' validation does. */
export function checkVersionQuery({ resourceVersion, match, sendInitialEvents, isWatch }: VersionQuery): void {
  const problems: FieldError[] = [];
  const forbid = (why: string, field = FIELD) => problems.push(forbiddenField(field, why));
  if (sendInitialEvents !== undefined) {
    if (match !== "NotOlderThan") forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (!isWatch) forbid("sendInitialEvents is forbidden for list", "sendInitialEvents");
  } else if (match !== "") {
    if (isWatch) forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (resourceVersion === "") forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (!MATCHES.includes(match)) problems.push(notSupported(FIELD, match, MATCHES));
    if (match === "Exact" && resourceVersion === "0")
      forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  if (problems.length) throw invalid({ group: "meta.k8s.io", kind: "ListOptions", name: "" }, problems);
}

/** 0 for "" and "0". Throws 400 for what is no revision. */
export function parseRevision(text: string): number {
  if (text === "") return 0;
  if (!/^\d+$/.test(text))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: invalid resource version`);
  return Number(text);
}

/** Throws 504: there is no other writer to wait for, so such a revision will not come by waiting. */
export function checkReached(revision: number, current: number): void {
  if (revision <= current) return;
  throw new ApiError(504, "Timeout", `Timeout: Too large resource version: ${revision}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
