/**
 * The keys that seal what is stored. Each is random and lies in the settings, wrapped under a key that derives from one
 * of the deployment's secrets: whoever has the database alone has nothing, and a new secret wraps a new key.
 * https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/ says the same of several keys: the first seals, all open.
 */
import { fromBase64, hex, toBase64 } from "../../lib/bytes.ts";
import { ApiError } from "../../lib/status.ts";
import type { Settings } from "../settings.ts";
import { decrypt, derived, encrypt, KEY_BYTES, newKey } from "./cipher.ts";

export const KEYS_SETTING = "encryption.keys";
const NAME_BYTES = 4;

export type Encryption = {
  /** The deployment's secrets: the first seals, all open. */
  secrets: readonly string[];
  /** Of which resources all objects are sealed. */
  resources: readonly string[];
  /** Which settings are. */
  settings: readonly string[];
};

/** `under`: the name of the deployment's key that wraps it. */
type StoredKey = { id: number; under: string; wrapped: string };
/** The first key seals. `resources`: what was sealed when the last rewriting began, which goes on while `rewriting`. */
type Stored = { keys: StoredKey[]; resources: readonly string[]; rewriting: boolean };

export type DataKey = { id: number; key: Uint8Array };

type DeploymentKey = { name: string; key: Uint8Array };

const contextOf = (id: number) => `data key ${id}`;

/** What wraps keys, and the name by which it is known to be the right one before it is tried. */
const deploymentKey = (secret: string): DeploymentKey => ({
  name: hex(derived(secret, "the name of the key that wraps data keys", NAME_BYTES)),
  key: derived(secret, "the key that wraps data keys", KEY_BYTES),
});

export class DataKeys {
  readonly #settings: Settings;
  readonly #resources: readonly string[];
  readonly #deployment: readonly DeploymentKey[];
  readonly #keys = new Map<number, Uint8Array>();
  #stored: Stored;
  #current: DataKey;

  /** Throws the 503 that says what to do where a key is wrapped under a secret that is not among those given. */
  constructor(settings: Settings, { secrets, resources }: Encryption) {
    this.#settings = settings;
    this.#resources = resources.toSorted();
    this.#deployment = secrets.map(deploymentKey);
    const text = settings.get(KEYS_SETTING);
    this.#stored = text ? (JSON.parse(text) as Stored) : { keys: [], resources: [], rewriting: false };
    for (const stored of this.#stored.keys) this.#keys.set(stored.id, this.#unwrap(stored));
    const [first] = this.#stored.keys;
    this.#current = { id: first?.id ?? 0, key: this.#keys.get(first?.id ?? 0) ?? new Uint8Array() };
    this.#follow(first);
  }

  /** A new first secret, or other resources: all is written anew. Where nothing can be written now, it is another time. */
  #follow(first: StoredKey | undefined): void {
    try {
      if (first?.under !== this.#deployment[0]?.name) this.rotate();
      else if (this.#stored.resources.join() !== this.#resources.join()) this.#keep({ rewriting: true });
    } catch (error) {
      if (!first) throw error;
    }
  }

  /** What seals now. */
  get current(): DataKey {
    return this.#current;
  }

  get resources(): readonly string[] {
    return this.#resources;
  }

  /** Some of what is stored is not sealed with the current key yet. */
  get isRewriting(): boolean {
    return this.#stored.rewriting;
  }

  /** Ids of the keys in use, the current first, and whether the first of the deployment's secrets wraps them. */
  list(): { id: number; secret: "present" | "former" }[] {
    const [present] = this.#deployment;
    return this.#stored.keys.map(({ id, under }) => ({ id, secret: under === present?.name ? "present" : "former" }));
  }

  find(id: number): Uint8Array {
    const key = this.#keys.get(id);
    if (!key) throw new Error(`what is stored was sealed with key ${id}, which this cluster does not have`);
    return key;
  }

  /** A new key seals from now on. What the others sealed is to be written anew, and then they go. */
  rotate(): void {
    const [wrapping] = this.#deployment;
    if (!wrapping) throw new Error("encryption without a secret");
    const made = { id: Math.max(0, ...this.#keys.keys()) + 1, key: newKey() };
    const wrapped = toBase64(encrypt(wrapping.key, made.key, contextOf(made.id)));
    this.#keep({ keys: [{ id: made.id, under: wrapping.name, wrapped }, ...this.#stored.keys], rewriting: true });
    this.#keys.set(made.id, made.key);
    this.#current = made;
  }

  /** All is sealed with the current key. */
  rewritten(): void {
    this.#keep({ keys: this.#stored.keys.slice(0, 1), rewriting: false });
    for (const id of this.#keys.keys()) if (id !== this.#current.id) this.#keys.delete(id);
  }

  #keep(change: Partial<Stored>): void {
    const stored = { ...this.#stored, resources: this.#resources, ...change };
    this.#settings.set(KEYS_SETTING, JSON.stringify(stored));
    this.#stored = stored;
  }

  #unwrap({ id, under, wrapped }: StoredKey): Uint8Array {
    const wrapping = this.#deployment.find(({ name }) => name === under);
    if (!wrapping) throw lost(under);
    return decrypt(wrapping.key, fromBase64(wrapped), contextOf(id));
  }
}

const lost = (under: string) =>
  new ApiError(
    503,
    "ServiceUnavailable",
    `what this cluster stores is encrypted under a former secret of the deployment (key ${under}), which is not given: put that secret in a line of its own below the present one, in $SKERRY_HOME/secret or SKERRY_SECRET, and start again`,
  );
