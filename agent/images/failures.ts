/** What the kubelet tells of pulls that failed; each is followed by a backoff. */
export const PULL_FAILURES: ReadonlySet<string> = new Set(["ErrImagePull", "SignatureValidationFailed"]);
