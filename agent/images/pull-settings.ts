/** What an administrator may say of a node's pulls, by the names of KubeletConfiguration. */
import { parseDuration } from "../../worker/lib/cel/times.ts";
import { type ProviderConfiguration, parseProviders } from "./credential-providers.ts";
import { PULL_LIMITS, type PullLimits } from "./pulls.ts";
import { parsePolicies, type SignaturePolicy } from "./signatures.ts";
import { type Verification, verificationOf } from "./verification.ts";

export type PullConfiguration = {
  serializeImagePulls?: boolean;
  maxParallelImagePulls?: number;
  imagePullCredentialsVerificationPolicy?: string;
  preloadedImagesVerificationAllowlist?: string[];
  /** With kubelets a matter of the container runtime's settings. */
  imagePullProgressDeadline?: string;
  /** ClusterImagePolicies; kubelets have none. */
  imagePolicies?: readonly unknown[];
  /** Only flags with kubelets. */
  credentialProviders?: ProviderConfiguration;
};

export type PullSettings = {
  limits: PullLimits;
  verification: Verification;
  policy?: SignaturePolicy;
  providers?: ProviderConfiguration;
};

/** Throws for what makes no sense, in the kubelet's words. */
export function pullSettings(given: PullConfiguration = {}): PullSettings {
  const { imagePolicies, credentialProviders: providers } = given;
  if (providers) parseProviders(providers.config);
  const { imagePullCredentialsVerificationPolicy, preloadedImagesVerificationAllowlist } = given;
  return {
    limits: { parallel: parallel(given), progressDeadlineMs: deadline(given.imagePullProgressDeadline) },
    verification: verificationOf(imagePullCredentialsVerificationPolicy, preloadedImagesVerificationAllowlist),
    ...(imagePolicies && { policy: parsePolicies(imagePolicies) }),
    ...(providers && { providers }),
  };
}

/** One after the other, unless it is said that several may go at once; then without a limit, unless there is one. */
function parallel({ maxParallelImagePulls: most, serializeImagePulls }: PullConfiguration): number {
  if (most !== undefined && !(most >= 1))
    throw new Error(`invalid configuration: maxParallelImagePulls ${most} must be a positive number`);
  if (serializeImagePulls ?? (most ?? 1) < 2) {
    if (most !== undefined && most > 1)
      throw new Error(
        "invalid configuration: maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
      );
    return 1;
  }
  return most ?? Number.POSITIVE_INFINITY;
}

function deadline(text: string | undefined): number {
  if (text === undefined) return PULL_LIMITS.progressDeadlineMs;
  const parsed = parseDuration(text);
  if (!parsed || parsed.nanos <= 0n) throw new Error(`time: invalid duration "${text}"`);
  return Number(parsed.nanos / 1_000_000n);
}
