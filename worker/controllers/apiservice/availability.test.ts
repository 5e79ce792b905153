import { expect, test } from "vitest";
import { APIService } from "../../kinds/apiregistration/api-service.ts";
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { Model } from "../testing.ts";
import { type Answer, AVAILABILITY, availabilityController, type DiscoveryCheck } from "./availability.ts";

const MINUTE_MS = 60_000;

/** A model cluster whose extension server answers as `server` says, at once. */
function cluster() {
  const server = { failed: "it is down" as string | undefined, asked: [] as number[] };
  const known = new Map<string, Answer>();
  const check: DiscoveryCheck = (_, print, maxAgeMs) => {
    const last = known.get(print);
    if (last && model.now - last.at < maxAgeMs) return last;
    server.asked.push(model.now);
    const { failed } = server;
    const answer = { at: model.now, since: last ? last.since : model.now, ...(failed !== undefined && { failed }) };
    known.set(print, answer);
    model.driver.enqueue(AVAILABILITY, "/v1.example.com");
    return undefined;
  };
  const model = new Model([availabilityController(check)]);
  const condition = () => {
    model.rest();
    const found = model.get(APIService, "v1.example.com")?.status?.conditions?.find(({ type }) => type === "Available");
    return found && `${found.status} ${found.reason}: ${found.message}`;
  };
  return { model, server, condition };
}

const service: APIService["spec"]["service"] = { namespace: "default", name: "shop", port: 443 };
const registered = (spec: Partial<APIService["spec"]> = { service }) => ({
  metadata: { name: "v1.example.com" },
  spec: { group: "example.com", version: "v1", groupPriorityMinimum: 100, versionPriority: 100, ...spec },
});
const place = { name: "shop", namespace: "default" };
const endpoints = (ip?: string) => ({
  metadata: place,
  subsets: ip ? [{ addresses: [{ ip }], ports: [{ name: "", port: 8443 }] }] : [],
});

test("each thing that is missing is named, in the order in which it is looked for", () => {
  const { model, server, condition } = cluster();
  model.create(APIService, registered() as APIService);
  expect(condition()).toBe('False ServiceNotFound: service/shop in "default" is not present');
  const made = model.create(Service, {
    metadata: place,
    spec: { type: "ClusterIP", ports: [{ port: 80 }] },
  } as Service);
  expect(condition()).toBe('False ServicePortError: service/shop in "default" is not listening on port 443');
  model.edit(Service, made, (copy) => Object.assign(copy.spec, { ports: [{ port: 443 }] }));
  expect(condition()).toBe('False EndpointsNotFound: cannot find endpointslices for service/shop in "default"');
  const empty = model.create(Endpoints, endpoints() as Endpoints);
  expect(condition()).toBe(
    'False MissingEndpoints: endpointslices for service/shop in "default" have no addresses with port name ""',
  );
  expect(server.asked).toEqual([]);
  model.edit(Endpoints, empty, (copy) => Object.assign(copy, endpoints("10.0.0.1")));
  expect(condition()).toBe("False FailedDiscoveryCheck: it is down");
  server.failed = undefined;
  model.advance(2000);
  expect(condition()).toBe("True Passed: all checks passed");
});

function reachable() {
  const all = cluster();
  all.model.create(Service, { metadata: place, spec: { type: "ClusterIP", ports: [{ port: 443 }] } } as Service);
  all.model.create(Endpoints, endpoints("10.0.0.1") as Endpoints);
  all.model.create(APIService, registered() as APIService);
  return all;
}

test("a server that is down is asked ever more seldom, and after five minutes no more", () => {
  const { model, server, condition } = reachable();
  expect(condition()).toContain("FailedDiscoveryCheck");
  model.advance(60 * MINUTE_MS);
  const [first = 0, ...later] = server.asked;
  expect(later.length).toBeGreaterThan(8);
  expect(later.length).toBeLessThan(30);
  expect((later.at(-1) ?? 0) - first).toBeLessThan(6 * MINUTE_MS);
  const asked = server.asked.length;
  model.edit(Endpoints, model.get(Endpoints, "shop") as Endpoints, (copy) =>
    Object.assign(copy, endpoints("10.0.0.2")),
  );
  server.failed = undefined;
  expect(condition()).toContain("True Passed");
  expect(server.asked).toHaveLength(asked + 1);
});

test("a server that answers is left in peace", () => {
  const { model, server, condition } = reachable();
  server.failed = undefined;
  model.advance(3000);
  expect(condition()).toContain("True Passed");
  const asked = server.asked.length;
  const before = model.get(APIService, "v1.example.com")?.metadata.resourceVersion;
  model.advance(60 * MINUTE_MS);
  expect(server.asked).toHaveLength(asked);
  expect(model.get(APIService, "v1.example.com")?.metadata.resourceVersion).toBe(before);
});

test("what others say in the status stays, and groups without a Service are there", () => {
  const { model, server, condition } = reachable();
  server.failed = undefined;
  model.advance(3000);
  condition();
  model.edit(
    APIService,
    model.get(APIService, "v1.example.com") as APIService,
    (copy) => {
      copy.status?.conditions?.push({ type: "Liked", status: "True" });
    },
    "status",
  );
  condition();
  expect(model.get(APIService, "v1.example.com")?.status?.conditions?.map(({ type }) => type)).toEqual([
    "Available",
    "Liked",
  ]);
  model.edit(APIService, model.get(APIService, "v1.example.com") as APIService, (copy) => {
    delete copy.spec.service;
  });
  expect(condition()).toBe("True Local: Local APIServices are always available");
});
