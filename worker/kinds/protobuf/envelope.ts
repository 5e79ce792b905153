/**
 * Objects in Kubernetes' protobuf form, as typed clients send and take built-in kinds.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { definitionOfKind } from "../generated/schemas.ts";
import { messageOf, partialMessages } from "./codec.ts";
import { numbersOf } from "./numbers.ts";
import { type Codec, WireError } from "./wire.ts";
import { Writer } from "./writer.ts";

type Fields = Record<string, unknown>;
type TypeMeta = { apiVersion: string; kind: string };

/** What every such document begins with: `k8s` and a zero byte. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/** `runtime.Unknown` and, inside, `runtime.TypeMeta`. */
const UNKNOWN = { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4 } as const;
const TYPE_META = { apiVersion: 1, kind: 2 } as const;

/** DeleteOptions and other options come under the group and version of what they are for. */
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
/** Documents of discovery, which name no group. */
const isDiscovery = (apiVersion: string, kind: string) => /^(v1)?$/.test(apiVersion) && /^API[A-Z]/.test(kind);

function codecFor({ apiVersion, kind }: TypeMeta): Codec | undefined {
  if (apiVersion.startsWith("meta.k8s.io/") && Object.hasOwn(partialMessages, kind)) return partialMessages[kind];
  const groupVersion = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  const key = `${groupVersion}/${kind}`;
  const known = Object.hasOwn(definitionOfKind, key) ? definitionOfKind[key] : undefined;
  const definition = known ?? (kind.endsWith("Options") || isDiscovery(apiVersion, kind) ? META + kind : undefined);
  return definition && numbersOf(definition) ? messageOf(definition) : undefined;
}

/** The fields that have a length, by number; the last of each counts. */
function parts(bytes: Uint8Array): Map<number, Uint8Array> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) found.set(number, reader.bytes());
    else reader.skip(wire, number);
  }
  return found;
}

const NOTHING = new Uint8Array();
const decoder = new TextDecoder("utf-8");

/** Bytes that do not decode, and what they said they were, as far as that could be read. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
  readonly type: TypeMeta | undefined;

  constructor(message: string, type?: TypeMeta) {
    super(message);
    this.type = type;
  }
}

/** The reader reports what is wrong with bytes as RangeError and plain Error. */
function attempt<T>(read: () => T, type?: TypeMeta): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) throw new ProtobufError(error.message, type);
    if (error instanceof RangeError) throw new ProtobufError("unexpected EOF", type);
    if (error instanceof Error && error.name === "Error") throw new ProtobufError(error.message, type);
    throw error;
  }
}

function rawOf(document: Uint8Array): { type: TypeMeta; raw: Uint8Array } {
  if (document.length === 0) throw new ProtobufError("empty data");
  if (!MAGIC.every((byte, index) => document[index] === byte))
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(" ")}]`,
    );
  if (document.length === MAGIC.length) throw new ProtobufError("empty body");
  return attempt(() => {
    const unknown = parts(document.subarray(MAGIC.length));
    const meta = parts(unknown.get(UNKNOWN.typeMeta) ?? NOTHING);
    const name = (number: number) => decoder.decode(meta.get(number) ?? NOTHING);
    const type = { apiVersion: name(TYPE_META.apiVersion), kind: name(TYPE_META.kind) };
    return { type, raw: unknown.get(UNKNOWN.raw) ?? NOTHING };
  });
}

/**
 * The object in a document, as its JSON would be. `expected` fills in what the document does not say of its own type.
 * Throws ProtobufError for what is no document, or of a kind that has no protobuf form.
 */
export function decodeProtobuf(document: Uint8Array, expected?: TypeMeta): Fields {
  const { type: given, raw } = rawOf(document);
  const type = { apiVersion: given.apiVersion || expected?.apiVersion || "", kind: given.kind || expected?.kind || "" };
  const codec = codecFor(type);
  if (!codec)
    throw new ProtobufError(
      `no kind "${type.kind}" is registered for version "${type.apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
      type,
    );
  const message = attempt(() => {
    const writer = new Writer().bytes(raw);
    return codec.read(new BinaryReader(writer.finish()), 0);
  }, type);
  return { ...type, ...(message as Fields) };
}

/** Whether objects of a kind can be written as protobuf: all built-in ones but those that only JSON has. */
export const hasProtobuf = (type: TypeMeta): boolean => codecFor(type) !== undefined;

/** An object as a document. What it does not have is not sent, so a Go client reads zero values there. */
export function encodeProtobuf(object: TypeMeta): Uint8Array<ArrayBuffer> {
  const { apiVersion, kind } = object;
  const codec = codecFor(object);
  if (!codec) throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  const writer = new Writer().raw(Uint8Array.from(MAGIC));
  writer.tag(UNKNOWN.typeMeta, WireType.LengthDelimited).fork();
  writer.tag(TYPE_META.apiVersion, WireType.LengthDelimited).string(apiVersion);
  writer.tag(TYPE_META.kind, WireType.LengthDelimited).string(kind).join();
  writer.tag(UNKNOWN.raw, WireType.LengthDelimited);
  codec.write(writer, object);
  writer.tag(UNKNOWN.contentEncoding, WireType.LengthDelimited).string("");
  writer.tag(UNKNOWN.contentType, WireType.LengthDelimited).string("");
  return writer.finish();
}
