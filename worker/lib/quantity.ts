/**
 * resource.Quantity: exact decimal numbers with a unit suffix.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** `nano` is the value times 10^9; nothing finer exists. `format` decides how it prints. */
export type Quantity = { readonly nano: bigint; readonly format: QuantityFormat };

const UNIT = 1_000_000_000n;
const MILLI = 1_000_000n;
const LARGEST = ((1n << 63n) - 1n) * UNIT;
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const QUANTITY_PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
const WRONG_FORMAT = `quantities must match the regular expression '${QUANTITY_PATTERN}'`;
const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

/** Throws `QuantityError`, whose message is apimachinery's. Values finer than a nano round away from zero. */
export function parseQuantity(text: string): Quantity {
  const match = text === "" ? null : shape.exec(text);
  if (!match) throw new QuantityError(WRONG_FORMAT);
  const [, sign, whole = "", fraction = "", suffix = ""] = match;
  const unit = parseSuffix(suffix);
  if (!unit) throw new QuantityError("unable to parse quantity's suffix");
  if (whole === "" && fraction === "" && !text.includes(".")) throw new QuantityError(WRONG_FORMAT);

  let numerator = BigInt(`${whole}${fraction}` || "0") * unit.times * UNIT;
  let denominator = 10n ** BigInt(fraction.length);
  if (unit.exponent >= 0) numerator *= 10n ** BigInt(unit.exponent);
  else denominator *= 10n ** BigInt(-unit.exponent);
  const exact = numerator / denominator + (numerator % denominator === 0n ? 0n : 1n);
  const amount = exact > LARGEST ? LARGEST : exact;
  const format = unit.format === "BinarySI" && amount < UNIT ? "DecimalSI" : unit.format;
  return { nano: sign === "-" ? -amount : amount, format };
}

/** Beyond this a power of ten cannot fit anyway, and computing it would only cost time. */
const MAX_EXPONENT = 60;

function parseSuffix(suffix: string): { times: bigint; exponent: number; format: QuantityFormat } | undefined {
  const decimal = DECIMAL.indexOf(suffix);
  if (decimal >= 0) return { times: 1n, exponent: decimal * 3 - 9, format: "DecimalSI" };
  const binary = BINARY.indexOf(suffix);
  if (binary >= 0) return { times: 1n << BigInt(10 * (binary + 1)), exponent: 0, format: "BinarySI" };
  const power = /^[eE]([-+]?[0-9]+)$/.exec(suffix);
  if (!power) return undefined;
  const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(power[1])));
  return { times: 1n, exponent, format: "DecimalExponent" };
}

/** The canonical form: no fraction, and the largest unit that loses nothing. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return "0";
  if (format === "BinarySI" && nano % UNIT === 0n && abs(nano) >= 1024n * UNIT) return formatBinary(nano / UNIT);
  let amount = nano;
  let exponent = -9;
  while (amount % 1000n === 0n && (exponent < 18 || format === "DecimalExponent")) {
    amount /= 1000n;
    exponent += 3;
  }
  if (format === "DecimalExponent") return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
  return `${amount}${DECIMAL[(exponent + 9) / 3]}`;
}

function formatBinary(value: bigint): string {
  let amount = value;
  let power = 0;
  while (amount % 1024n === 0n && power < BINARY.length) {
    amount /= 1024n;
    power++;
  }
  return power === 0 ? `${amount}` : `${amount}${BINARY[power - 1]}`;
}

const abs = (n: bigint) => (n < 0n ? -n : n);

/** Division that rounds away from zero, as `ScaledValue` does. */
function roundUp(nano: bigint, unit: bigint): bigint {
  const whole = nano / unit;
  if (nano % unit === 0n) return whole;
  return nano < 0n ? whole - 1n : whole + 1n;
}

export const ZERO: Quantity = { nano: 0n, format: "DecimalSI" };

export const compareQuantities = (a: Quantity, b: Quantity): -1 | 0 | 1 =>
  a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;

/** The sum, in the format of `a` (of `b` where `a` is zero). */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano + b.nano,
  format: a.nano === 0n ? b.format : a.format,
});
export const subtractQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano - b.nano,
  format: a.nano === 0n ? b.format : a.format,
});

/** Whole units, rounded up: bytes, pods, cores. */
export const wholeValue = (q: Quantity): number => Number(roundUp(q.nano, UNIT));
/** Thousandths, rounded up: millicores. */
export const milliValue = (q: Quantity): number => Number(roundUp(q.nano, MILLI));
export const isWhole = (q: Quantity): boolean => q.nano % UNIT === 0n;
export const wholeQuantity = (value: number): Quantity => ({ nano: BigInt(value) * UNIT, format: "DecimalSI" });

/** What the server writes for a resource's amount: canonical, and nothing finer than a thousandth. */
export function canonicalResource(text: string): string {
  const { nano, format } = parseQuantity(text);
  return formatQuantity({ nano: roundUp(nano, MILLI) * MILLI, format });
}

/** Rewrites every amount of a resource list in its canonical form, in place. */
export function canonicalizeResources(list: Record<string, string | number> | undefined): void {
  if (!list) return;
  for (const [name, amount] of Object.entries(list)) list[name] = canonicalResource(String(amount));
}

/** Sums of two lists of parsed quantities, name by name. */
export type Resources = Record<string, Quantity>;
export function parseResources(list: Record<string, string> | undefined): Resources {
  const parsed: Resources = {};
  for (const [name, amount] of Object.entries(list ?? {})) parsed[name] = parseQuantity(String(amount));
  return parsed;
}
export function addResources(a: Resources, b: Resources): Resources {
  const sum = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = addQuantities(sum[name] ?? ZERO, amount);
  return sum;
}
export function maxResources(a: Resources, b: Resources): Resources {
  const most = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const other = most[name];
    if (!other || compareQuantities(other, amount) < 0) most[name] = amount;
  }
  return most;
}
export function formatResources(list: Resources): Record<string, string> {
  return Object.fromEntries(Object.entries(list).map(([name, amount]) => [name, formatQuantity(amount)]));
}
