/** Fields of JSONSchemaProps that hold one of two types: a schema, or something else. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { boolean, type Codec, deeper, expectWire, text } from "./wire.ts";

const APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

type Part = { number: number; codec: Codec };
type Choice = {
  schema: number;
  other: Part;
  /** From all values that came for the other type. */
  join(values: readonly unknown[]): unknown;
  /** What is sent of the other type, each a field, and whether the value is sent as a schema. */
  split(value: unknown): { others: readonly unknown[]; isSchema: boolean };
};

function choice(props: Codec, { schema, other, join, split }: Choice): Codec {
  return {
    wire: WireType.LengthDelimited,
    read(reader, depth) {
      const inner = new BinaryReader(reader.bytes());
      const others: unknown[] = [];
      let found: unknown;
      while (inner.pos < inner.len) {
        const [number, wire] = inner.tag();
        const codec = number === schema ? props : number === other.number ? other.codec : undefined;
        if (!codec) {
          inner.skip(wire, number);
          continue;
        }
        expectWire(codec.wire, wire, String(number));
        const value = codec.read(inner, deeper(depth));
        if (number === schema) found = value;
        else others.push(value);
      }
      return found ?? join(others);
    },
    write(writer, value) {
      const { others, isSchema } = split(value);
      writer.fork();
      for (const item of others) {
        writer.tag(other.number, other.codec.wire);
        other.codec.write(writer, item);
      }
      if (isSchema) {
        writer.tag(schema, props.wire);
        props.write(writer, value);
      }
      writer.join();
    },
  };
}

const listed = (value: unknown) =>
  Array.isArray(value) ? { others: value, isSchema: false } : { others: [], isSchema: true };
const whole = (values: readonly unknown[]) => (values.length ? values : undefined);

/** By definition. `messageOf` gives the codec of a definition. */
export function schemaChoices(messageOf: (definition: string) => Codec): Readonly<Record<string, Codec>> {
  const props = messageOf(`${APIEXTENSIONS}JSONSchemaProps`);
  return {
    [`${APIEXTENSIONS}JSONSchemaPropsOrArray`]: choice(props, {
      schema: 1,
      other: { number: 2, codec: props },
      join: whole,
      split: listed,
    }),
    [`${APIEXTENSIONS}JSONSchemaPropsOrStringArray`]: choice(props, {
      schema: 1,
      other: { number: 2, codec: text },
      join: whole,
      split: listed,
    }),
    [`${APIEXTENSIONS}JSONSchemaPropsOrBool`]: choice(props, {
      schema: 2,
      other: { number: 1, codec: boolean },
      join: (values) => values.at(-1) === true,
      split: (value) =>
        typeof value === "boolean" ? { others: [value], isSchema: false } : { others: [true], isSchema: true },
    }),
  };
}
