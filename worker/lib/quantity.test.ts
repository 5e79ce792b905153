import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addQuantities,
  canonicalResource,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  QuantityError,
  wholeValue,
} from "./quantity.ts";

const canonical = (text: string) => formatQuantity(parseQuantity(text));

describe("a quantity", () => {
  it.each([
    ["0", "0"],
    ["0.1", "100m"],
    ["1024Ki", "1Mi"],
    ["1048576", "1048576"],
    ["1e3", "1e3"],
    ["12e6", "12e6"],
    ["1500m", "1500m"],
    ["2000m", "2"],
    ["1.5Gi", "1536Mi"],
    ["0.5Ki", "512"],
    ["0.0001Ki", "102400u"],
    ["1000000", "1M"],
    ["-100m", "-100m"],
    ["+3", "3"],
    ["0.00000000001", "1n"],
    ["100E", "9223372036854775807"],
    ["1Ei", "1Ei"],
    [".5", "500m"],
  ])("%s prints as %s", (text, expected) => expect(canonical(text)).toBe(expected));

  it.each(["", "lots", "1 ", "1KI", "1i", "--1", "1e", "0x1"])("%j is refused", (text) =>
    expect(() => parseQuantity(text)).toThrow(QuantityError),
  );

  it("says what it expects", () => {
    expect(() => parseQuantity("lots")).toThrow("quantities must match the regular expression");
    expect(() => parseQuantity("1mm")).toThrow("unable to parse quantity's suffix");
  });

  it("rounds up where a coarser unit is asked for", () => {
    expect(milliValue(parseQuantity("1.0001"))).toBe(1001);
    expect(wholeValue(parseQuantity("1m"))).toBe(1);
    expect(canonicalResource("0.0001")).toBe("1m");
  });

  it("adds exactly, in the format of the first that is not zero", () => {
    expect(formatQuantity(addQuantities(parseQuantity("100m"), parseQuantity("0.9")))).toBe("1");
    expect(formatQuantity(addQuantities(parseQuantity("0"), parseQuantity("1Gi")))).toBe("1Gi");
  });

  it("keeps its value and its text through canonical form", () => {
    const suffix = fc.constantFrom("n", "u", "m", "", "k", "M", "G", "Ki", "Mi", "Gi", "e3");
    fc.assert(
      fc.property(fc.integer({ min: -999999, max: 999999 }), suffix, (n, unit) => {
        const first = parseQuantity(`${n}${unit}`);
        const text = formatQuantity(first);
        expect(compareQuantities(parseQuantity(text), first)).toBe(0);
        expect(canonical(text)).toBe(text);
      }),
    );
  });
});
