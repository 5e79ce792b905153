import {
  ApiError,
  badRequest,
  type FieldError,
  forbiddenField,
  invalid,
  invalidValue,
  notSupported,
} from "../../lib/status.ts";

/**
 * What a list or watch says about how fresh it must be.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export type VersionQuery = {
  resourceVersion: string;
  match: string;
  continue: string;
  sendInitialEvents: boolean | undefined;
};

const FIELD = "resourceVersionMatch";
const CONTINUED = "resourceVersionMatch is forbidden when continue is provided";

const refuse = (problems: readonly FieldError[]) => {
  if (problems.length) throw invalid({ group: "meta.k8s.io", kind: "ListOptions", name: "" }, problems);
};

/** Throws 422 for combinations that make no sense, as ListOptions' validation does. */
export function checkListQuery({ resourceVersion, match, continue: token, sendInitialEvents }: VersionQuery): void {
  const problems: FieldError[] = [];
  const forbid = (why: string, field = FIELD) => problems.push(forbiddenField(field, why));
  if (match !== "") {
    if (resourceVersion === "") forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (token !== "") forbid(CONTINUED);
    if (match !== "Exact" && match !== "NotOlderThan")
      problems.push(notSupported(FIELD, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  if (sendInitialEvents !== undefined) forbid("sendInitialEvents is forbidden for list", "sendInitialEvents");
  refuse(problems);
}

/** The same of a watch. */
export function checkWatchQuery({ match, continue: token, sendInitialEvents }: VersionQuery): void {
  const problems: FieldError[] = [];
  const forbid = (why: string) => problems.push(forbiddenField(FIELD, why));
  if (sendInitialEvents !== undefined && match !== "NotOlderThan")
    forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  if (match !== "") {
    if (sendInitialEvents === undefined)
      forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (match !== "NotOlderThan") problems.push(notSupported(FIELD, match, ["NotOlderThan"]));
    if (token !== "") forbid(CONTINUED);
  }
  refuse(problems);
}

const MAX_UINT64 = 2n ** 64n;

/** Why a text is no revision; undefined when it is one. */
function revisionProblem(text: string): string | undefined {
  const why = !/^\d*$/.test(text)
    ? "invalid syntax"
    : BigInt(text || 0) >= MAX_UINT64
      ? "value out of range"
      : undefined;
  if (why === undefined) return undefined;
  const { field, message } = invalidValue(
    "resourceVersion",
    text,
    `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`,
  );
  return `${field}: ${message}`;
}

/** 0 for "" and "0". Throws a 500, which kube-apiserver has for what is no revision. */
export function parseRevision(text: string): number {
  const problem = revisionProblem(text);
  if (problem) throw new ApiError(500, "", problem);
  return Number(text);
}

/** The same of a list, where it is a 400. */
export function parseListRevision(text: string): number {
  const problem = revisionProblem(text);
  if (problem) throw badRequest(`invalid resource version: ${problem}`);
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
