import { errorText } from "../../lib/error-text.ts";
import type { Key } from "../../lib/object.ts";
import type { StoredObject } from "../store.ts";
import { decrypt, encrypt } from "./cipher.ts";
import type { DataKeys } from "./data-keys.ts";

/** Text as it is stored: sealed it is bytes, and so it needs no mark. */
export type Stored = string | Uint8Array;
/** A row as it is read, whose text may be sealed. */
export type Raw<Row extends { json: string }> = Omit<Row, "json"> & { json: string | ArrayBuffer };

/** The form of what follows; then the key's id, big-endian. */
const FORM = 1;
const HEADER_BYTES = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A sealed body opens as this version of this object alone. */
const contextOf = ({ resource, namespace, name, revision }: Key & { revision: number }) =>
  `${resource}/${namespace}/${name}@${revision}`;
const settingContext = (name: string) => `setting ${name}`;

/** How what a key sealed begins. */
export function headerOf(id: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = FORM;
  new DataView(header.buffer).setUint32(1, id);
  return header;
}

/** Characters of text that are kept in memory. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Texts lately opened: lists of what is sealed would be slower by far. The oldest go first. */
class Texts {
  readonly #texts = new Map<string, string>();
  #characters = 0;

  get(context: string): string | undefined {
    return this.#texts.get(context);
  }

  keep(context: string, text: string): string {
    this.#texts.set(context, text);
    this.#characters += text.length;
    for (const oldest of this.#texts.keys()) {
      if (this.#characters <= MAX_CHARACTERS) break;
      this.forget(oldest);
    }
    return text;
  }

  forget(context: string): void {
    this.#characters -= this.#texts.get(context)?.length ?? 0;
    this.#texts.delete(context);
  }
}

/** What of the storage is sealed, and with which keys. Without keys all is stored as it is. */
export class Sealing {
  readonly #keys: DataKeys | undefined;
  readonly #opened = new Texts();
  readonly #resources: ReadonlySet<string>;
  /** Names of the settings that are sealed. */
  readonly settings: ReadonlySet<string>;

  constructor(keys?: DataKeys, settings: readonly string[] = []) {
    this.#keys = keys;
    this.#resources = new Set(keys?.resources);
    this.settings = new Set(settings);
  }

  seals(resource: string): boolean {
    return this.#resources.has(resource);
  }

  /** The object's text as it is to be stored. */
  seal(object: StoredObject): Stored {
    if (!this.seals(object.resource)) return object.json;
    const context = contextOf(object);
    this.#opened.forget(context); // one of the same revision may have been rolled back
    return this.#seal(object.json, context);
  }

  /** Puts the text in place of what was stored. */
  open<Row extends StoredObject>(rows: Raw<Row>[]): Row[] {
    for (const row of rows) {
      if (typeof row.json === "string") continue;
      const context = contextOf(row as unknown as Row);
      const { json } = row;
      row.json = this.#opened.get(context) ?? this.#opened.keep(context, this.#open(json, context));
    }
    return rows as unknown as Row[];
  }

  sealSetting(name: string, value: string): Stored {
    return this.settings.has(name) ? this.#seal(value, settingContext(name)) : value;
  }

  openSetting(name: string, value: string | ArrayBuffer): string {
    return typeof value === "string" ? value : this.#open(value, settingContext(name));
  }

  #seal(text: string, context: string): Stored {
    if (!this.#keys) return text;
    const { id, key } = this.#keys.current;
    const sealed = encrypt(key, encoder.encode(text), context);
    const stored = new Uint8Array(HEADER_BYTES + sealed.length);
    stored.set(headerOf(id));
    stored.set(sealed, HEADER_BYTES);
    return stored;
  }

  #open(stored: ArrayBuffer, context: string): string {
    const bytes = new Uint8Array(stored);
    if (!this.#keys || bytes[0] !== FORM) throw new Error(`${context} is sealed in a way that is not known`);
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    try {
      return decoder.decode(decrypt(this.#keys.find(id), bytes.subarray(HEADER_BYTES), context));
    } catch (error) {
      throw new Error(`${context} cannot be opened: ${errorText(error)}`);
    }
  }
}
