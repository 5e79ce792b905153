import { expect, test } from "vitest";
import type { ContainerPort, Pod } from "../api/objects.ts";
import { shownPorts } from "./ports.ts";

const shown = (...ports: ContainerPort[]) =>
  shownPorts({
    spec: {
      containers: [
        { name: "c", image: "i", ports },
        { name: "d", image: "i" },
      ],
    },
  } as Pod).map(({ scheme, port }) => `${scheme}:${port}`);

test("what may speak HTTP is shown, by TLS where its name or number says so", () => {
  expect(shown({ containerPort: 8080 }, { containerPort: 3000, name: "web", protocol: "TCP" })).toEqual([
    "http:8080",
    "http:3000",
  ]);
  expect(shown({ containerPort: 443 }, { containerPort: 9000, name: "https-admin" })).toEqual([
    "https:443",
    "https:9000",
  ]);
  expect(shown({ containerPort: 8443, name: "http" })).toEqual(["http:8443"]);
});

test("what does not is not", () => {
  const ports = [{ containerPort: 5432 }, { containerPort: 80, protocol: "UDP" }, { containerPort: 9, name: "grpc" }];
  expect(shown(...ports, { containerPort: 1, name: "redis-main" })).toEqual([]);
});
