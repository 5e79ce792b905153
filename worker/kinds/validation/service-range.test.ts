import { expect, test } from "vitest";
import { IPAddress } from "../networking/ip-address.ts";
import { ServiceCIDR } from "../networking/service-cidr.ts";
import { contains } from "./ip.ts";

const messages = (problems: Iterable<{ field: string; message: string }>) =>
  [...problems].map(({ field, message }) => `${field}: ${message}`);

const range = (cidrs: string[]): ServiceCIDR => ({ metadata: { name: "r" }, spec: { cidrs } });

test.each([
  ["10.0.0.1", []],
  ["fe80::42:1dff:fe84:f9e2", []],
  ["FD00::1", ['must be in canonical form ("fd00::1")']],
  ["fd00:0:0::1", ['must be in canonical form ("fd00::1")']],
  ["::ffff:10.0.0.1", ["must not be an IPv4-mapped IPv6 address"]],
  ["10.0.0", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]],
])("an IPAddress named %s", (name, problems) => {
  expect(IPAddress.nameProblems(name)).toEqual(problems);
});

test("an IPAddress says whose it is", () => {
  const of = (parentRef?: object) => messages(IPAddress.validate({ spec: { parentRef } } as IPAddress));
  expect(of()).toEqual(["spec.parentRef: Required value"]);
  expect(of({ resource: "services", name: "a", namespace: "b" })).toEqual([]);
  expect(of({ group: "A" })).toEqual([
    expect.stringContaining('spec.parentRef.group: Invalid value: "A": a lowercase RFC 1123 subdomain'),
    "spec.parentRef.resource: Required value",
    "spec.parentRef.name: Required value",
  ]);
});

test.each([
  [[], ["spec.cidrs: Required value: at least one CIDR required"]],
  [["10.0.0.0/8", "fd00::/108"], []],
  [
    ["10.0.0.0/8", "11.0.0.0/8"],
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/8","11.0.0.0/8"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [["10.0.0.1/8"], ['spec.cidrs[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length']],
  [["FD00::/64"], ['spec.cidrs[0]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")']],
  [
    ["10.0.0.0"],
    ['spec.cidrs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
  ],
])("a ServiceCIDR of %j", (cidrs, problems) => {
  expect(messages(ServiceCIDR.validateCreate(range(cidrs)))).toEqual(problems);
});

test("a range keeps what it has, and may become one of two families", () => {
  const change = (from: string[], to: string[]) => messages(ServiceCIDR.validateUpdate(range(to), range(from), ""));
  expect(change(["10.0.0.0/8"], ["10.0.0.0/8", "fd00::/108"])).toEqual([]);
  expect(change(["10.0.0.0/8"], ["11.0.0.0/8"])).toEqual([
    'spec.cidrs[0]: Invalid value: "11.0.0.0/8": field is immutable',
  ]);
  expect(change(["10.0.0.0/8", "fd00::/108"], ["10.0.0.0/8"])).toEqual([
    'spec.cidrs: Invalid value: ["10.0.0.0/8"]: field is immutable',
  ]);
});

test("ranges contain addresses and ranges of their family", () => {
  expect(contains("10.0.0.0/8", "10.1.2.3")).toBe(true);
  expect(contains("10.0.0.0/8", "10.0.0.0/8")).toBe(true);
  expect(contains("10.0.0.0/16", "10.0.0.0/8")).toBe(false);
  expect(contains("10.0.0.0/8", "fd00::1")).toBe(false);
});
