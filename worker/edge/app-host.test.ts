import { describe, expect, test } from "vitest";
import { AppHosts } from "./app-host.ts";

const find = (authority: string, apiHosts?: string) =>
  new AppHosts(() => 0).find(`https://${authority}/api/v1/pods?x=//y/z`, apiHosts);

describe("host names", () => {
  test.each([
    "localhost",
    "localhost:6443",
    "192.0.2.1",
    "192.0.2.1:6443",
    "[2001:db8::1]:6443",
    "machine",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local:443",
    "skerry.someone.workers.dev",
    "K8S.example.com.:443",
    "",
  ])("of the API: %s", (authority) => {
    expect(find(authority, "other.example.com, k8s.example.com")).toBeUndefined();
  });

  test.each([
    ["app.example.com", "app.example.com"],
    ["App.Example.com.:8443", "app.example.com"],
    ["1.2.3.example", "1.2.3.example"],
    ["kubernetes.default.example.com", "kubernetes.default.example.com"],
    ["workers.dev.example.com", "workers.dev.example.com"],
  ])("that an app may have: %s", (authority, host) => {
    expect(find(authority, "k8s.example.com")).toBe(host);
  });

  test("what is found out is remembered, for good or for a moment", () => {
    let now = 0;
    const hosts = new AppHosts(() => now);
    hosts.remember("https://a.example.com/x", false);
    hosts.remember("https://b.example.com/x", true);
    const found = (name: string) => hosts.find(`https://${name}.example.com/y`);
    expect([found("a"), found("b")]).toEqual([undefined, undefined]);
    now = 2_000;
    expect([found("a"), found("b")]).toEqual(["a.example.com", undefined]);
  });
});
