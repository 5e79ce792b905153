import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Runtime } from "../runtime.ts";
import type { Credential } from "./keyring.ts";
import type { RecordFiles } from "./records.ts";
import { canonicalName, parseReference } from "./reference.ts";

/** What an image must be signed with, one of several keys, or that it may never or always run. */
export type Rule = { name: string; globs: RegExp[]; keys: KeyObject[]; always?: "pass" | "fail" };
/** Every rule that matches an image must be kept; an image that none matches may run. */
export type SignaturePolicy = readonly Rule[];

/** Why an image may not run. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

const SIGNATURE_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE = "dev.cosignproject.cosign/signature";

/**
 * Checks images by cosign's signatures, which lie beside an image in its registry.
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
export class Signatures {
  readonly #runtime: Runtime;
  readonly #files: RecordFiles;
  readonly #policy: SignaturePolicy;
  readonly #checking = new Map<string, Promise<void>>();

  constructor(deps: { runtime: Runtime; files: RecordFiles; policy: SignaturePolicy }) {
    this.#runtime = deps.runtime;
    this.#files = deps.files;
    this.#policy = deps.policy;
  }

  /**
   * The digest that the image is to be run by; undefined for one that no rule is about. `digests` are what the image's
   * name means on this node, as `docker.io/library/busybox@sha256:…`. Throws SignatureError.
   */
  async verify(
    image: string,
    digests: readonly string[],
    credentials: () => Promise<readonly Credential[]>,
  ): Promise<string | undefined> {
    const { repository } = parseReference(image);
    const rules = this.#policy.filter(({ globs }) =>
      globs.some((glob) => glob.test(repository) || glob.test(canonicalName(image))),
    );
    if (!rules.length) return undefined;
    const digest = digests.find((name) => name.startsWith(`${repository}@`))?.slice(repository.length + 1);
    if (!digest) throw new SignatureError(`${image} has no digest of its registry`);
    for (const rule of rules) await this.#once(`${repository}@${digest}`, rule, credentials);
    return digest;
  }

  /** What was found to be signed stays so, also without an uplink. */
  async #once(subject: string, rule: Rule, credentials: () => Promise<readonly Credential[]>): Promise<void> {
    if (rule.always === "pass") return;
    if (rule.always === "fail") throw new SignatureError(`policy "${rule.name}" lets no such image run`);
    const keys = rule.keys.map((key) => key.export({ type: "spki", format: "der" }));
    const record = `signed-${createHash("sha256")
      .update([subject, ...keys.map((key) => key.toString("hex"))].join("\n"))
      .digest("hex")}`;
    if (this.#files.read(record) !== undefined) return;
    const checking = this.#checking.get(record) ?? this.#check(subject, rule, await credentials());
    this.#checking.set(record, checking);
    try {
      await checking;
      this.#files.write(record, subject);
    } finally {
      this.#checking.delete(record);
    }
  }

  async #check(subject: string, { name, keys }: Rule, credentials: readonly Credential[]): Promise<void> {
    const [repository = "", digest = ""] = subject.split("@");
    const place = `${repository}:${digest.replace(":", "-")}.sig`;
    const { layers, read } = await this.#fetch(place, credentials);
    const problems = new Set<string>();
    for (const { mediaType, digest: payloadDigest, annotations = {} } of layers) {
      const signature = annotations[SIGNATURE];
      if (mediaType !== SIGNATURE_LAYER || !signature) continue;
      const payload = read(payloadDigest);
      const isSigned = keys.some((key) => verify(hashFor(key), payload, key, Buffer.from(signature, "base64")));
      if (!isSigned) problems.add(`no signature in ${place} is by a key of policy "${name}"`);
      else if (signedDigest(payload) !== digest) problems.add(`what is signed in ${place} is another image`);
      else return;
    }
    throw new SignatureError([...problems].join("; ") || `${place} holds no signature`);
  }

  async #fetch(place: string, credentials: readonly Credential[]) {
    const failures: string[] = [];
    for (const credential of credentials.length ? credentials : [undefined])
      try {
        if (!this.#runtime.fetch) throw new Error("this runtime fetches images alone");
        return await this.#runtime.fetch(place, credential);
      } catch (error) {
        failures.push(errorText(error));
      }
    if (failures.some((failure) => failure.endsWith(": not found"))) throw new SignatureError("no signatures found");
    throw new SignatureError(`no signatures could be fetched: ${failures.join(", ")}`);
  }
}

/** Ed25519 has its own. */
const hashFor = ({ asymmetricKeyType }: KeyObject) => (asymmetricKeyType === "ed25519" ? undefined : "sha256");

/** https://github.com/containers/image/blob/main/docs/containers-signature.5.md#json-data-format */
function signedDigest(payload: Buffer): string | undefined {
  type Payload = { critical?: { type?: string; image?: { "docker-manifest-digest"?: string } } };
  try {
    const { critical } = JSON.parse(payload.toString()) as Payload;
    return critical?.type === "cosign container image signature"
      ? critical.image?.["docker-manifest-digest"]
      : undefined;
  } catch {
    return undefined; // the keys sign other things too
  }
}

type ClusterImagePolicy = {
  kind?: string;
  metadata?: { name?: string };
  spec?: {
    images?: { glob?: string }[];
    authorities?: { key?: { data?: string }; static?: { action?: string } }[];
  };
};

/**
 * Reads ClusterImagePolicies, as sigstore's policy-controller has them, of which images' globs, keys in `data` and static
 * actions count. Throws for anything else, as what is not understood must not be left out.
 * https://docs.sigstore.dev/policy-controller/overview/
 */
export function parsePolicies(documents: readonly unknown[]): SignaturePolicy {
  return documents.map((document, index) => {
    const { kind, metadata, spec } = (document ?? {}) as ClusterImagePolicy;
    const name = metadata?.name ?? `number ${index + 1}`;
    const wrong = (what: string) => new Error(`image policy ${name}: ${what}`);
    if (kind !== "ClusterImagePolicy") throw wrong(`kind must be ClusterImagePolicy, not ${kind}`);
    onlyKnown(spec, ["images", "authorities"], (key) => wrong(`spec.${key} is not supported`));
    const { images = [], authorities = [] } = spec ?? {};
    if (!images.length) throw wrong("spec.images is empty");
    if (!authorities.length) throw wrong("spec.authorities is empty");
    const globs = images.map(({ glob }) => {
      if (!glob) throw wrong("each of spec.images must have a glob");
      return globPattern(glob);
    });
    const keys: KeyObject[] = [];
    let always: Rule["always"];
    for (const authority of authorities) {
      onlyKnown(authority, ["name", "key", "static"], (key) => wrong(`an authority's ${key} is not supported`));
      onlyKnown(authority.key, ["data", "hashAlgorithm"], (key) => wrong(`a key's ${key} is not supported`));
      const action = authority.static?.action;
      if (action === "pass" || action === "fail") always = always === "pass" ? always : action;
      else if (authority.key?.data) keys.push(publicKey(authority.key.data, wrong));
      else throw wrong("an authority must have key.data, or static.action that is pass or fail");
    }
    // One authority that is content is enough.
    return { name, globs, keys, ...(always === "pass" || (always && !keys.length) ? { always } : {}) };
  });
}

function onlyKnown(value: object | undefined, known: readonly string[], error: (key: string) => Error): void {
  for (const key of Object.keys(value ?? {})) if (!known.includes(key)) throw error(key);
}

function publicKey(pem: string, wrong: (what: string) => Error): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw wrong(`a key cannot be read: ${errorText(error)}`);
  }
}

/** `*` is anything but a slash, `**` anything; names of Docker Hub may be short. */
function globPattern(glob: string): RegExp {
  const full = glob.includes("/") || glob.startsWith("**") ? glob : `docker.io/library/${glob}`;
  const pattern = full
    .replace(/^index\.docker\.io\//, "docker.io/")
    .replace(/\*\*|\*|[^*]+/g, (part) => (part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/\W/g, "\\$&")));
  return new RegExp(`^${pattern}$`);
}
