import type { Environment } from "@marcbachmann/cel-js";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isWhole,
  parseQuantity,
  type Quantity,
  QuantityError,
  subtractQuantities,
  wholeQuantity,
  wholeValue,
} from "../quantity.ts";
import { CelError } from "./program.ts";

class CelQuantity {
  readonly value: Quantity;

  constructor(value: Quantity) {
    this.value = value;
  }

  toString(): string {
    return formatQuantity(this.value);
  }
}

const of = (value: Quantity | bigint) =>
  new CelQuantity(typeof value === "bigint" ? wholeQuantity(Number(value)) : value);

function parse(text: string): CelQuantity {
  try {
    return of(parseQuantity(text));
  } catch (error) {
    throw error instanceof QuantityError ? new CelError(error.message) : error;
  }
}

function isQuantity(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

function whole({ value }: CelQuantity): bigint {
  if (!isWhole(value)) throw new CelError("cannot convert value to integer");
  return BigInt(wholeValue(value));
}

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library */
export function registerQuantities(environment: Environment): void {
  const Q = "kubernetes.Quantity";
  const compare = (a: CelQuantity, b: CelQuantity) => compareQuantities(a.value, b.value);
  environment
    .registerType(Q, CelQuantity)
    .registerFunction(`quantity(string): ${Q}`, parse)
    .registerFunction("isQuantity(string): bool", isQuantity)
    .registerFunction(`${Q}.sign(): int`, (a: CelQuantity) => BigInt(compare(a, of(0n))))
    .registerFunction(`${Q}.isInteger(): bool`, (a: CelQuantity) => isWhole(a.value))
    .registerFunction(`${Q}.asInteger(): int`, whole)
    .registerFunction(`${Q}.asApproximateFloat(): double`, (a: CelQuantity) => Number(a.value.nano) / 1e9)
    .registerFunction(`${Q}.compareTo(${Q}): int`, (a: CelQuantity, b: CelQuantity) => BigInt(compare(a, b)))
    .registerFunction(`${Q}.isGreaterThan(${Q}): bool`, (a: CelQuantity, b: CelQuantity) => compare(a, b) > 0)
    .registerFunction(`${Q}.isLessThan(${Q}): bool`, (a: CelQuantity, b: CelQuantity) => compare(a, b) < 0)
    .registerOperator(`${Q} == ${Q}`, (a: CelQuantity, b: CelQuantity) => compare(a, b) === 0)
    .registerFunction(`${Q}.add(${Q}): ${Q}`, (a: CelQuantity, b: CelQuantity) => of(addQuantities(a.value, b.value)))
    .registerFunction(`${Q}.add(int): ${Q}`, (a: CelQuantity, b: bigint) => of(addQuantities(a.value, of(b).value)))
    .registerFunction(`${Q}.sub(${Q}): ${Q}`, (a: CelQuantity, b: CelQuantity) =>
      of(subtractQuantities(a.value, b.value)),
    )
    .registerFunction(`${Q}.sub(int): ${Q}`, (a: CelQuantity, b: bigint) =>
      of(subtractQuantities(a.value, of(b).value)),
    );
}
