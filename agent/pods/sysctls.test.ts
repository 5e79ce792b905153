import { describe, expect, test } from "vitest";
import { checkAllowedSysctls, normalName, sysctlRejection, sysctlsOf } from "./sysctls.ts";
import { somePod } from "./testing.ts";

const setting = (name: string, spec = {}) => somePod({ securityContext: { sysctls: [{ name, value: "1" }] }, ...spec });
const forbidden = (message: string) => ({ reason: "SysctlForbidden", message: `forbidden sysctl: ${message}` });

describe("a pod may set", () => {
  test.each(["kernel.shm_rmid_forced", "kernel/shm_rmid_forced", "net.ipv4.tcp_rmem"])("the safe sysctl %s", (name) => {
    expect(sysctlRejection(setting(name), [])).toBeUndefined();
  });

  test("what the node allows, by name or by beginning", () => {
    expect(sysctlRejection(setting("kernel.msgmax"), ["kernel.msgmax"])).toBeUndefined();
    expect(sysctlRejection(setting("kernel.msgmax"), ["kernel.msg*"])).toBeUndefined();
    expect(sysctlRejection(setting("net.core.somaxconn"), ["net/core/*"])).toBeUndefined();
  });
});

describe("a pod may not set", () => {
  test("what is not on the list", () => {
    expect(sysctlRejection(setting("kernel.msgmax"), ["kernel.shm*"])).toEqual(
      forbidden('"kernel.msgmax" not allowlisted'),
    );
  });

  test("what it shares with the machine", () => {
    expect(sysctlRejection(setting("kernel.shm_rmid_forced", { hostIPC: true }), [])).toEqual(
      forbidden('"kernel.shm_rmid_forced" not allowed with host IPC enabled'),
    );
    expect(sysctlRejection(setting("net.core.somaxconn", { hostNetwork: true }), ["net.*"])).toEqual(
      forbidden('"net.core.somaxconn" not allowed with host Net enabled'),
    );
    expect(sysctlRejection(setting("net.ipv4.tcp_rmem", { hostIPC: true }), [])).toBeUndefined();
  });
});

test("a node cannot allow what is every pod's", () => {
  expect(() => checkAllowedSysctls(["kernel.msg*", "net.*", "fs.mqueue.*", "kernel/sem"])).not.toThrow();
  expect(() => checkAllowedSysctls(["vm.swappiness"])).toThrow("not known to be namespaced");
  expect(() => checkAllowedSysctls(["kernel.*"])).toThrow("not known to be namespaced");
  expect(() => checkAllowedSysctls(["NET.*"])).toThrow("must have at most 253 characters");
});

test("names are written with dots or slashes", () => {
  expect(normalName("net/ipv4/conf/eno2.100/rp_filter")).toBe("net.ipv4.conf.eno2/100.rp_filter");
  expect(normalName("net.ipv4.conf.eno2/100.rp_filter")).toBe("net.ipv4.conf.eno2/100.rp_filter");
  expect(sysctlsOf(setting("kernel/sem"))).toEqual([{ name: "kernel.sem", value: "1" }]);
});
