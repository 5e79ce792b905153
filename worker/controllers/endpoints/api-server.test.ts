import { expect, test } from "vitest";
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { Model } from "../testing.ts";
import { apiServerEndpointsController } from "./api-server.ts";

test("the API is found at its Service's address, also after someone changed or deleted what says so", () => {
  const model = new Model([apiServerEndpointsController]);
  const make = (name: string, clusterIP: string) =>
    model.create(Service, { metadata: { name, namespace: "default" }, spec: { clusterIP, ports: [{ port: 443 }] } });
  make("kubernetes", "10.96.0.1");
  make("other", "10.96.0.2");
  const addresses = () => {
    model.rest();
    return [
      model.list(Endpoints).flatMap(({ subsets }) => subsets?.[0]?.addresses?.map(({ ip }) => ip)),
      model.list(EndpointSlice).flatMap(({ endpoints }) => endpoints?.[0]?.addresses),
    ];
  };
  const right = [["10.96.0.1"], ["10.96.0.1"]];
  expect(addresses()).toEqual(right);
  expect(model.get(EndpointSlice, "kubernetes")?.metadata?.labels).toEqual({
    "kubernetes.io/service-name": "kubernetes",
  });
  model.edit(Endpoints, model.get(Endpoints, "kubernetes") as Endpoints, (copy) =>
    Object.assign(copy, { subsets: [] }),
  );
  model.delete(EndpointSlice, model.get(EndpointSlice, "kubernetes") as EndpointSlice);
  expect(addresses()).toEqual(right);
});
