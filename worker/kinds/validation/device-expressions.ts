import { KUBERNETES } from "../../lib/cel/library/kubernetes.ts";
import { CelError, compile } from "../../lib/cel/program.ts";
import { BOOL, formatType, isDyn, parseType, sameType, structType } from "../../lib/cel/types.ts";
import { invalidValue } from "../../lib/status.ts";
import type { Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#selecting-devices */
const DEVICE = "kubernetes.DRADevice";
const FIELDS: Readonly<Record<string, string>> = {
  driver: "string",
  attributes: "map(string, map(string, dyn))",
  capacity: "map(string, map(string, kubernetes.Quantity))",
};

const OVER_DEVICE = KUBERNETES.with(
  { device: structType(DEVICE) },
  {
    hasType: (name) => name === DEVICE,
    field: (type, field) => {
      const text = type === DEVICE && Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
      return text === undefined ? undefined : parseType(text);
    },
  },
);

export function* validateDeviceExpression(expression: string, field: string): Problems {
  // A macro that only these expressions have, and the compiler does not.
  if (expression.includes("cel.bind(")) return;
  try {
    const { type } = compile(OVER_DEVICE, expression);
    if (!isDyn(type) && !sameType(type, BOOL))
      yield invalidValue(field, expression, `must evaluate to bool or the unknown type, not ${formatType(type)}`);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    yield invalidValue(field, expression, error.message);
  }
}
