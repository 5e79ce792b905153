import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFile } from "../local/home.ts";
import type { Credential, SecretSource } from "./keyring.ts";
import { parseReference } from "./reference.ts";
import { type Verification, verificationOf } from "./verification.ts";

/** Small files by name, which outlive the agent. */
export interface RecordFiles {
  names(): string[];
  read(name: string): string | undefined;
  /** A crash leaves the old or the new one. */
  write(name: string, text: string): void;
  remove(name: string): void;
}

export function recordFiles(folder: string): RecordFiles {
  return {
    names: () => (existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith(".new")) : []),
    read(name) {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    },
    write: (name, text) => writeFile(join(folder, name), text),
    remove: (name) => rmSync(join(folder, name), { force: true }),
  };
}

type PulledSecret = SecretSource & { credentialHash: string };
type Access = { nodePodsAccessible?: true; kubernetesSecrets?: PulledSecret[] };
/** As a kubelet's file has it. https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
type Pulled = { imageRef: string; credentialMapping: Record<string, Access> };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
/** Past so many Secrets that open an image, those whose content is known already are not noted too. */
const MOST_SECRETS = 100;

/**
 * Who may use which image that was pulled to this node: whoever could pull it. Images that came another way are free to
 * all, unless the node's settings say otherwise.
 * https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification
 */
export class PullRecords {
  readonly #files: RecordFiles;
  readonly #verification: Verification;
  /** Pulls under way, by the image's name as pods have it. */
  readonly #pulling = new Map<string, number>();
  /** Pulls that a former agent did not see the end of: the image may be here, and nobody knows by whose leave. */
  readonly #unfinished: Set<string>;

  constructor(files: RecordFiles, verification: Verification = verificationOf()) {
    this.#files = files;
    this.#verification = verification;
    this.#unfinished = new Set(files.names().filter((name) => name.startsWith("pulling-")));
  }

  begin(image: string): void {
    this.#files.write(intentName(image), image);
    this.#pulling.set(image, (this.#pulling.get(image) ?? 0) + 1);
  }

  /** `id` is the image's own; `credential` what the registry wanted, if anything. */
  succeeded(image: string, id: string, credential: Credential | undefined): void {
    const access: Access = credential?.source ? { kubernetesSecrets: [pulledSecret(credential)] } : everyones;
    this.#grant(image, id, access);
    this.#unfinished.delete(intentName(image));
    this.#end(image);
  }

  failed(image: string): void {
    this.#end(image);
  }

  /** Whether a pod with these credentials has to ask the registry, though the image is here. */
  mustPull(image: string, id: string, credentials: () => readonly Credential[]): boolean {
    const record = this.#read(id);
    const wasPulled = record !== undefined || this.#pulling.has(image) || this.#unfinished.has(intentName(image));
    if (!this.#verification(image, wasPulled)) return false;
    if (!record) return true;
    const access = record.credentialMapping[parseReference(image).repository];
    if (!access) return true;
    if (access.nodePodsAccessible) return false;
    const known = access.kubernetesSecrets ?? [];
    for (const credential of credentials()) {
      if (!credential.source) continue;
      const secret = pulledSecret(credential);
      const sameContent = known.some(({ credentialHash }) => credentialHash === secret.credentialHash);
      const sameSecret = known.some((other) => isSame(other, secret));
      if (!sameContent && !sameSecret) continue;
      // The Secret counts from now on, whatever comes of the one that it was known by.
      if (!(sameContent && sameSecret) && known.length < MOST_SECRETS) this.#note(image, id, secret);
      return false;
    }
    return true;
  }

  /** It was removed from the node. */
  forget(id: string): void {
    this.#files.remove(recordName(id));
  }

  #end(image: string): void {
    const left = (this.#pulling.get(image) ?? 1) - 1;
    if (left > 0) return void this.#pulling.set(image, left);
    this.#pulling.delete(image);
    if (!this.#unfinished.has(intentName(image))) this.#files.remove(intentName(image));
  }

  #note(image: string, id: string, secret: PulledSecret): void {
    try {
      this.#grant(image, id, { kubernetesSecrets: [secret] });
    } catch {
      // A disk that takes nothing keeps nobody out.
    }
  }

  #grant(image: string, id: string, access: Access): void {
    const record = this.#read(id) ?? { imageRef: id, credentialMapping: {} };
    const { repository } = parseReference(image);
    const before = record.credentialMapping[repository];
    const after = merge(before, access);
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    record.credentialMapping[repository] = after;
    this.#files.write(recordName(id), JSON.stringify(record));
  }

  #read(id: string): Pulled | undefined {
    const text = this.#files.read(recordName(id));
    try {
      return text === undefined ? undefined : (JSON.parse(text) as Pulled);
    } catch {
      return { imageRef: id, credentialMapping: {} }; // pulled once, and nobody knows by whose leave
    }
  }
}

const everyones: Access = { nodePodsAccessible: true };
const intentName = (image: string) => `pulling-${sha256(image)}`;
const recordName = (id: string) => `pulled-${sha256(id)}`;
const isSame = (a: SecretSource, b: SecretSource) =>
  a.uid === b.uid && a.namespace === b.namespace && a.name === b.name;

function pulledSecret({ source, hash }: Credential): PulledSecret {
  const { uid = "", namespace = "", name = "" } = source ?? {};
  return { uid, namespace, name, credentialHash: hash };
}

function merge(before: Access | undefined, after: Access): Access {
  if (before?.nodePodsAccessible || after.nodePodsAccessible) return everyones;
  const secrets = after.kubernetesSecrets ?? [];
  const others = (before?.kubernetesSecrets ?? []).filter((other) => !secrets.some((secret) => isSame(secret, other)));
  return { kubernetesSecrets: [...others, ...secrets] };
}
