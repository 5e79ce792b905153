/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library and the semver library */
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
} from "../../quantity.ts";
import { ofFirst, one } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { fixed, scale } from "../ranges.ts";
import { CelObject } from "../values.ts";

class CelQuantity extends CelObject {
  readonly typeName = "kubernetes.Quantity";
  readonly value: Quantity;

  constructor(value: Quantity) {
    super();
    this.value = value;
  }

  override equals(other: CelQuantity): boolean {
    return compareQuantities(this.value, other.value) === 0;
  }

  override toString(): string {
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

const compare = (a: CelQuantity, b: CelQuantity) => compareQuantities(a.value, b.value);

const parsing: Costs = {
  cost: ofFirst,
  estimate: ([text], sizeOf) => text && { cost: scale(sizeOf(text), 0.1) },
};
const simple: Costs = { cost: one, estimate: () => ({ cost: fixed(1) }) };

const Q = "kubernetes.Quantity";

export const quantities = new Library()
  .add(`quantity(string): ${Q}`, "string_to_quantity", parse, parsing)
  .add("isQuantity(string): bool", "is_quantity_string", isQuantity, parsing)
  .add(`sign(${Q}): int`, "quantity_sign", (a: CelQuantity) => BigInt(compare(a, of(0n))), simple)
  .add(`${Q}::sign(): int`, "quantity_sign", (a: CelQuantity) => BigInt(compare(a, of(0n))), simple)
  .add(
    `${Q}::isGreaterThan(${Q}): bool`,
    "quantity_is_greater_than",
    (a: CelQuantity, b: CelQuantity) => compare(a, b) > 0,
    simple,
  )
  .add(
    `${Q}::isLessThan(${Q}): bool`,
    "quantity_is_less_than",
    (a: CelQuantity, b: CelQuantity) => compare(a, b) < 0,
    simple,
  )
  .add(
    `${Q}::compareTo(${Q}): int`,
    "quantity_compare_to",
    (a: CelQuantity, b: CelQuantity) => BigInt(compare(a, b)),
    simple,
  )
  .add(
    `${Q}::asApproximateFloat(): double`,
    "quantity_get_float",
    (a: CelQuantity) => Number(a.value.nano) / 1e9,
    simple,
  )
  .add(`${Q}::asInteger(): int`, "quantity_get_int", whole, simple)
  .add(`${Q}::isInteger(): bool`, "quantity_is_integer", (a: CelQuantity) => isWhole(a.value), simple)
  .add(
    `${Q}::add(${Q}): ${Q}`,
    "quantity_add",
    (a: CelQuantity, b: CelQuantity) => of(addQuantities(a.value, b.value)),
    simple,
  )
  .add(
    `${Q}::add(int): ${Q}`,
    "quantity_add_int",
    (a: CelQuantity, b: bigint) => of(addQuantities(a.value, of(b).value)),
    simple,
  )
  .add(
    `${Q}::sub(${Q}): ${Q}`,
    "quantity_sub",
    (a: CelQuantity, b: CelQuantity) => of(subtractQuantities(a.value, b.value)),
    simple,
  )
  .add(
    `${Q}::sub(int): ${Q}`,
    "quantity_sub_int",
    (a: CelQuantity, b: bigint) => of(subtractQuantities(a.value, of(b).value)),
    simple,
  );

/** https://semver.org: three numbers, and identifiers of what comes before the release. */
class CelSemver extends CelObject {
  readonly typeName = "kubernetes.Semver";
  readonly numbers: readonly bigint[];
  readonly before: readonly string[];

  constructor(text: string) {
    super();
    const problem = semverProblem(text);
    if (problem) throw new CelError(problem);
    const [, numbers = "", before] = /^([\d.]+)(?:-([^+]*))?/.exec(text) ?? [];
    this.numbers = numbers.split(".").map(BigInt);
    this.before = before?.split(".") ?? [];
  }

  compare(other: CelSemver): number {
    for (const [index, number] of this.numbers.entries()) {
      const against = other.numbers[index] as bigint;
      if (number !== against) return number < against ? -1 : 1;
    }
    return compareIdentifiers(this.before, other.before);
  }

  override equals(other: CelSemver): boolean {
    return this.compare(other) === 0;
  }
}

function semverProblem(text: string): string | undefined {
  if (text === "") return "Version string empty";
  const [core = ""] = text.split(/[-+]/, 1);
  const numbers = text.split(".");
  if (numbers.length < 3) return "No Major.Minor.Patch elements found";
  const parts = core.split(".");
  const names = ["major", "minor", "patch"];
  for (const [index, part] of parts.slice(0, 3).entries()) {
    if (!/^\d+$/.test(part)) return `Invalid character(s) found in ${names[index]} number ${JSON.stringify(part)}`;
    if (part.length > 1 && part.startsWith("0"))
      return index < 2
        ? `${names[index] === "major" ? "Major" : "Minor"} number must not contain leading zeroes ${JSON.stringify(part)}`
        : `Patch number must not contain leading zeroes ${JSON.stringify(part)}`;
  }
  if (parts.length > 3) return `Invalid character(s) found in patch number ${JSON.stringify(parts.slice(2).join("."))}`;
  const [, before, build] = /^[^-+]*(?:-([^+]*))?(?:\+(.*))?$/.exec(text) ?? [];
  for (const part of before?.split(".") ?? []) {
    if (part === "") return "Prerelease is empty";
    if (/^\d+$/.test(part) && part.length > 1 && part.startsWith("0"))
      return `Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(part)}`;
    if (!/^[0-9A-Za-z-]+$/.test(part)) return `Invalid character(s) found in prerelease ${JSON.stringify(part)}`;
  }
  for (const part of build?.split(".") ?? []) {
    if (part === "") return "Build meta data is empty";
    if (!/^[0-9A-Za-z-]+$/.test(part)) return `Invalid character(s) found in build meta data ${JSON.stringify(part)}`;
  }
  return undefined;
}

/** A version without any is later than one with some. */
function compareIdentifiers(a: readonly string[], b: readonly string[]): number {
  if (!a.length || !b.length) return Math.sign(b.length - a.length) || 0;
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index] as string, b[index] as string];
    if (left === right) continue;
    const [isLeft, isRight] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isLeft && isRight) return BigInt(left) < BigInt(right) ? -1 : 1;
    if (isLeft !== isRight) return isLeft ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** Without a `v` before it, leading zeros, and with all three numbers. */
function normalized(text: string): string {
  const [first = "", second, ...rest] = text.replace(/^v/, "").split(".");
  const parts = [first, ...(second === undefined ? [] : [second]), ...(rest.length ? [rest.join(".")] : [])];
  const trimmed = parts.map((part) => (part.length > 1 ? part.replace(/^0+(?=\d)/, "").replace(/^0+$/, "0") : part));
  if (trimmed.length < 3 && /[+-]/.test(trimmed.at(-1) ?? ""))
    throw new CelError("short version cannot contain PreRelease/Build meta data");
  while (trimmed.length < 3) trimmed.push("0");
  return trimmed.join(".");
}

const semver = (text: string, normalize = false) => new CelSemver(normalize ? normalized(text) : text);

function isSemver(text: string, normalize = false): boolean {
  try {
    semver(text, normalize);
    return true;
  } catch {
    return false;
  }
}

const S = "kubernetes.Semver";
const numberAt = (index: number) => (version: CelSemver) => version.numbers[index] as bigint;

export const semvers = new Library()
  .add(`semver(string): ${S}`, "string_to_semver", (text: string) => semver(text), parsing)
  .add(`semver(string, bool): ${S}`, "string_bool_to_semver", semver, parsing)
  .add("isSemver(string): bool", "is_semver_string", (text: string) => isSemver(text), parsing)
  .add("isSemver(string, bool): bool", "is_semver_string_bool", isSemver, parsing)
  .add(
    `${S}::isGreaterThan(${S}): bool`,
    "semver_is_greater_than",
    (a: CelSemver, b: CelSemver) => a.compare(b) > 0,
    simple,
  )
  .add(`${S}::isLessThan(${S}): bool`, "semver_is_less_than", (a: CelSemver, b: CelSemver) => a.compare(b) < 0, simple)
  .add(`${S}::compareTo(${S}): int`, "semver_compare_to", (a: CelSemver, b: CelSemver) => BigInt(a.compare(b)), simple)
  .add(`${S}::major(): int`, "semver_major", numberAt(0), simple)
  .add(`${S}::minor(): int`, "semver_minor", numberAt(1), simple)
  .add(`${S}::patch(): int`, "semver_patch", numberAt(2), simple);
