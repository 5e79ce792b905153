import { expect, test } from "vitest";
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { Model } from "../testing.ts";
import { endpointSliceController } from "./endpoint-slices.ts";
import { endpointsController } from "./endpoints.ts";
import { endpointSliceMirroringController } from "./mirror.ts";

function cluster(spec: Partial<Service["spec"]> = {}, labels: Record<string, string> = {}): Model {
  const model = new Model([endpointSliceController, endpointsController, endpointSliceMirroringController]);
  model.create(Service, {
    metadata: { name: "outside", namespace: "default" },
    spec: { clusterIP: "10.96.0.7", ports: [{ port: 80 }], ...spec },
  });
  model.create(Endpoints, {
    metadata: { name: "outside", namespace: "default", labels },
    subsets: [{ addresses: [{ ip: "192.0.2.1" }], notReadyAddresses: [{ ip: "192.0.2.2" }], ports: [{ port: 8080 }] }],
  });
  model.rest();
  return model;
}

const slices = (model: Model) => model.list(EndpointSlice);

test("Endpoints of a Service without a selector are mirrored, and follow their changes", () => {
  const model = cluster();
  expect(slices(model)).toMatchObject([
    {
      metadata: {
        labels: {
          "kubernetes.io/service-name": "outside",
          "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        },
        ownerReferences: [{ kind: "Endpoints", name: "outside" }],
      },
      addressType: "IPv4",
      ports: [{ name: "", port: 8080, protocol: "TCP" }],
      endpoints: [
        { addresses: ["192.0.2.1"], conditions: { ready: true } },
        { addresses: ["192.0.2.2"], conditions: { ready: false } },
      ],
    },
  ]);
  const [endpoints] = model.list(Endpoints);
  if (endpoints)
    model.edit(Endpoints, endpoints, (copy) => {
      copy.subsets = [{ addresses: [{ ip: "192.0.2.3" }], ports: [{ port: 9090 }] }];
    });
  model.rest();
  expect(slices(model)).toMatchObject([{ ports: [{ port: 9090 }], endpoints: [{ addresses: ["192.0.2.3"] }] }]);
});

test("what is marked not to be mirrored is not", () => {
  expect(slices(cluster({}, { "endpointslice.kubernetes.io/skip-mirror": "true" }))).toEqual([]);
});

test("a Service that gets a selector keeps only the slices made from its pods", () => {
  const model = cluster();
  const [service] = model.list(Service);
  if (service) model.edit(Service, service, ({ spec }) => Object.assign(spec, { selector: { app: "web" } }));
  model.rest();
  expect(slices(model).map(({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"])).toEqual([
    "endpointslice-controller.k8s.io",
  ]);
});
