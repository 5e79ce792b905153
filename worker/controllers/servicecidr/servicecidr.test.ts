import { expect, test } from "vitest";
import { Service } from "../../kinds/core/service.ts";
import { IPAddress } from "../../kinds/networking/ip-address.ts";
import { ServiceCIDR } from "../../kinds/networking/service-cidr.ts";
import { Model } from "../testing.ts";
import { ipAddressController } from "./ipaddress.ts";
import { SERVICE_CIDR_FINALIZER, serviceCidrController } from "./servicecidr.ts";

function cluster() {
  const model = new Model([serviceCidrController, ipAddressController]);
  const range = (name: string, ...cidrs: string[]) => {
    model.create(ServiceCIDR, { metadata: { name }, spec: { cidrs } });
    model.rest();
  };
  const service = (name: string, ...clusterIPs: string[]) => {
    const spec = { clusterIP: clusterIPs[0], clusterIPs, ports: [{ port: 80 }] };
    model.create(Service, { metadata: { name, namespace: "default" }, spec });
    model.rest();
  };
  const remove = (kind: typeof Service | typeof ServiceCIDR, name: string) => {
    model.delete(kind as typeof Service, model.get(kind as typeof Service, name) ?? {});
    model.rest();
  };
  const found = (name: string) => model.get(ServiceCIDR, name);
  return { model, range, service, remove, found };
}

test("a range is ready at once and held by a finalizer", () => {
  const { range, found } = cluster();
  range("kubernetes", "10.96.0.0/12");
  expect(found("kubernetes")?.metadata?.finalizers).toEqual([SERVICE_CIDR_FINALIZER]);
  expect(found("kubernetes")?.status?.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
});

test("each address of a Service has an object that names it, for as long as it is held", () => {
  const { model, service, remove } = cluster();
  service("web", "10.96.0.7", "fd00::7");
  service("headless", "None");
  expect(model.list(IPAddress).map(({ metadata }) => metadata?.name)).toEqual(["10.96.0.7", "fd00::7"]);
  expect(model.get(IPAddress, "10.96.0.7")).toMatchObject({
    metadata: { labels: { "ipaddress.kubernetes.io/ip-family": "IPv4" } },
    spec: { parentRef: { resource: "services", namespace: "default", name: "web" } },
  });
  remove(Service, "web");
  expect(model.list(IPAddress)).toEqual([]);
});

test("an address that another Service takes over names the new one; a deleted one comes back", () => {
  const { model, service } = cluster();
  service("old", "10.96.0.7");
  model.delete(Service, model.get(Service, "old") ?? {});
  service("new", "10.96.0.7");
  const parent = () => model.get(IPAddress, "10.96.0.7")?.spec?.parentRef?.name;
  expect(parent()).toBe("new");
  model.delete(IPAddress, model.get(IPAddress, "10.96.0.7") ?? {});
  model.rest();
  expect(parent()).toBe("new");
});

test("an address that someone else keeps is left alone", () => {
  const { model, service } = cluster();
  const parentRef = { group: "example.com", resource: "routers", name: "r" };
  model.create(IPAddress, { metadata: { name: "10.96.0.9" }, spec: { parentRef } });
  service("web", "10.96.0.9");
  expect(model.get(IPAddress, "10.96.0.9")?.spec?.parentRef).toEqual(parentRef);
});

test("a deleted range stays while its addresses are in no other", () => {
  const { range, service, remove, found } = cluster();
  range("extra", "10.112.0.0/24");
  service("web", "10.112.0.7");
  remove(ServiceCIDR, "extra");
  expect(found("extra")?.status?.conditions).toMatchObject([{ status: "False", reason: "Terminating" }]);
  remove(Service, "web");
  expect(found("extra")).toBeUndefined();
});

test("or goes when a wider range takes its addresses in", () => {
  const { range, service, remove, found } = cluster();
  range("extra", "10.112.0.0/24");
  service("web", "10.112.0.7");
  remove(ServiceCIDR, "extra");
  range("wide", "10.112.0.0/16");
  expect(found("extra")).toBeUndefined();
});
