import { parseReference } from "./reference.ts";

/** Whether a pod needs credentials for an image that is on the node; `wasPulled` by the node itself. */
export type Verification = (image: string, wasPulled: boolean) => boolean;

/** The kubelet's default. */
export const DEFAULT_VERIFICATION = "NeverVerifyPreloadedImages";

const policies: Record<string, (allowed: readonly string[]) => Verification> = {
  NeverVerify: () => () => false,
  [DEFAULT_VERIFICATION]: () => (_, wasPulled) => wasPulled,
  NeverVerifyAllowlistedImages: (allowed) => {
    const prefixes = allowed.filter((pattern) => pattern.endsWith("/*")).map((pattern) => pattern.slice(0, -1));
    const names = new Set(allowed);
    // As kubelets have it, an image's name counts as it is written.
    return (image) => !names.has(image) && !prefixes.some((prefix) => image.startsWith(prefix));
  },
  AlwaysVerify: () => () => true,
};

/**
 * By the names of KubeletConfiguration's `imagePullCredentialsVerificationPolicy`. Throws in the kubelet's words.
 * https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification
 */
export function verificationOf(policy = DEFAULT_VERIFICATION, allowed: readonly string[] = []): Verification {
  const make = policies[policy];
  const names = Object.keys(policies).map((name) => JSON.stringify(name));
  if (!make)
    throw new Error(
      `invalid configuration: option ${JSON.stringify(policy)} specified for imagePullCredentialsVerificationPolicy. Valid options are ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    );
  if (allowed.length && policy !== "NeverVerifyAllowlistedImages")
    throw new Error(
      'invalid configuration: can\'t set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVertificationPolicy` is not "NeverVerifyAllowlistedImages"',
    );
  for (const pattern of allowed) checkPattern(pattern);
  return make(allowed);
}

function checkPattern(pattern: string): void {
  const wrong = (why: string) =>
    new Error(`invalid configuration: invalid image pattern in \`preloadedImagesVerificationAllowlist\`: ${why}`);
  const isPrefix = pattern.endsWith("/*");
  const text = isPrefix ? pattern.slice(0, -1) : pattern;
  if (pattern !== pattern.trim()) throw wrong(`leading/trailing spaces are not allowed: ${pattern}`);
  if (!text) throw wrong(`the supplied pattern is too short: ${pattern}`);
  if (text.includes("*"))
    throw wrong(`not a valid wildcard pattern, only patterns ending with '/*' are allowed: ${pattern}`);
  if (text === "/") throw wrong("at least registry hostname is required");
  if (!isPrefix && parseReference(pattern).repository !== pattern)
    throw wrong(`neither tag nor digest is accepted in an image reference: ${pattern}`);
}
