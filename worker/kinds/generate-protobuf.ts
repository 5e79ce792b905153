/**
 * Reduces `protobuf-fields.json` to `generated/protobuf.ts`: the JSON names of every definition's fields in the order
 * of their protobuf numbers. Types are the schema's, so only numbers are kept. Run it after `generate.ts`, as
 * `node worker/kinds/generate-protobuf.ts FOLDER`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definitions } from "./generated/schemas.ts";
import type { Numbers } from "./protobuf/numbers.ts";

/** Number, name in the message, type. */
type ProtobufField = [number, string, string];

const folder = process.argv[2] ?? ".";
const messages = JSON.parse(readFileSync(join(folder, "protobuf-fields.json"), "utf8")) as Record<
  string,
  ProtobufField[]
>;

/** `io.k8s.kube-aggregator.pkg…` is declared in package `k8s.io.kube_aggregator.pkg…`. */
const messageOf = (definition: string) => definition.replace(/^io\.k8s\./, "k8s.io.").replaceAll("-", "_");

/** Letters and digits alone: `x-kubernetes-int-or-string` and `xKubernetesIntOrString`, `$ref` and `ref` are the same. */
const plain = (name: string) => name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();

/** A type as named inside a package. */
function resolve(type: string, within: string): string {
  const name = type.replace(/^\./, "");
  return messages[name] ? name : `${within.slice(0, within.lastIndexOf("."))}.${name}`;
}

function numbersOf(message: string, names: readonly string[]): Numbers {
  const numbers: Numbers = [];
  for (const [number, name, type] of messages[message] ?? []) {
    const json =
      names.find((candidate) => candidate === name) ?? names.find((candidate) => plain(candidate) === plain(name));
    while (numbers.length < number - 1) numbers.push(null);
    if (json !== undefined) numbers.push(json);
    else {
      const inner = resolve(type, message);
      // A struct that JSON inlines is a message of its own; a field that JSON does not know is none of ours.
      numbers.push(messages[inner] && !type.startsWith("repeated") ? numbersOf(inner, names) : null);
    }
  }
  return numbers;
}

const lines = Object.entries(definitions).flatMap(([definition, text]) => {
  const { fields } = JSON.parse(text) as { fields?: Record<string, unknown> };
  if (!fields || !messages[messageOf(definition)]) return [];
  const numbers = JSON.stringify(numbersOf(messageOf(definition), Object.keys(fields)));
  return [`  ${JSON.stringify(definition)}: '${numbers}',`];
});

writeFileSync(
  join(import.meta.dirname, "generated", "protobuf.ts"),
  [
    "// Made by worker/kinds/generate-protobuf.ts. Do not edit.",
    "/** `Numbers` of one definition a line, as JSON that is parsed when it is first asked for. */",
    "export const protobufNumbers: Readonly<Record<string, string>> = {",
    ...lines,
    "};",
    "",
  ].join("\n"),
);
