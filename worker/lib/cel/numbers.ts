import { CelError } from "./errors.ts";
import { CelUint } from "./values.ts";

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;

export function int(value: bigint): bigint {
  if (value > MAX_INT || value < MIN_INT) throw new CelError("integer overflow");
  return value;
}

export function uint(value: bigint): CelUint {
  if (value > MAX_UINT || value < 0n) throw new CelError("unsigned integer overflow");
  return new CelUint(value);
}

export function intOfDouble(value: number): bigint {
  if (!Number.isFinite(value) || value >= 2 ** 63 || value <= -(2 ** 63)) throw new CelError("integer overflow");
  return BigInt(Math.trunc(value));
}

export function uintOfDouble(value: number): CelUint {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) throw new CelError("unsigned integer overflow");
  return new CelUint(BigInt(Math.trunc(value)));
}

const MAX_PLAIN_EXPONENT = 6;

/** As Go's `%g` with as many digits as needed. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < MAX_PLAIN_EXPONENT) return String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
