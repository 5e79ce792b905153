import { KUBERNETES } from "../../lib/cel/library/kubernetes.ts";
import { CelError, compile, type Program } from "../../lib/cel/program.ts";
import { BOOL, optionalOf, STRING, sameType } from "../../lib/cel/types.ts";
import type { ApiextensionsV1ValidationRule as Written } from "../generated/types.ts";
import type { Schema } from "../schema.ts";
import { declare, fieldTypes, sizesOf } from "./cel-types.ts";
import { fieldPath } from "./field-path.ts";

/** A rule of `x-kubernetes-validations`, ready to be held against values, or what is wrong with it. */
export type Rule = {
  readonly written: Written;
  readonly program?: Program;
  readonly problem?: string;
  readonly message?: Program;
  readonly messageProblem?: string;
  /** The most that one evaluation can cost. */
  readonly maxCost: number;
  readonly maxMessageCost: number;
  readonly usesOld: boolean;
  /** Of `fieldPath`, as paths are written: `spec.min`, `labels[a]`. */
  readonly path: string;
};

const compiled = new WeakMap<Schema, readonly Rule[]>();

/** Compiled once for a schema. `isResource` is the schema of a whole object. */
export function rulesOf(schema: Schema, isResource: boolean): readonly Rule[] {
  if (!schema.rules?.length) return [];
  const known = compiled.get(schema);
  if (known) return known;
  const rules = compileRules(schema, isResource);
  compiled.set(schema, rules);
  return rules;
}

function compileRules(schema: Schema, isResource: boolean): Rule[] {
  const declared = declare(schema, isResource);
  if (!declared) return [];
  const { type } = declared;
  const types = fieldTypes(declared);
  const sizes = sizesOf(declared);
  const plain = KUBERNETES.with({ self: type, oldSelf: type }, types);
  const optional = KUBERNETES.with({ self: type, oldSelf: optionalOf(type) }, types);
  return (schema.rules ?? []).map((written) => {
    const environment = written.optionalOldSelf ? optional : plain;
    const none = { written, maxCost: 0, maxMessageCost: 0, usesOld: false, path: "" };
    if (!written.rule?.trim()) return none;
    try {
      const program = compile(environment, written.rule);
      if (!sameType(program.type, BOOL)) return { ...none, problem: "cel expression must evaluate to a bool" };
      const found = written.fieldPath ? fieldPath(written.fieldPath, schema) : undefined;
      const path = found && "path" in found ? found.path : undefined;
      const rule: Rule = {
        ...none,
        program,
        maxCost: program.estimate(sizes).max,
        usesOld: program.mentions("oldSelf"),
        path: path ?? "",
      };
      return { ...rule, ...messageOf(written) };
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return { ...none, problem: error.message };
    }

    function messageOf({ messageExpression }: Written): Partial<Rule> {
      if (!messageExpression) return {};
      try {
        const message = compile(environment, messageExpression);
        if (!sameType(message.type, STRING)) return { messageProblem: "messageExpression must evaluate to a string" };
        return { message, maxMessageCost: message.estimate(sizes).max };
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        return { messageProblem: `messageExpression ${error.message.replace(/^program /, "")}` };
      }
    }
  });
}
