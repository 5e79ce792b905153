import { expect, test } from "vitest";
import { IPV4 } from "../family.ts";
import type { EndpointSlice } from "../types.ts";
import { backends } from "./endpoints.ts";

type Listed = NonNullable<EndpointSlice["endpoints"]>[number];

const endpoint = (last: number, zones: string[], nodes: string[] = [], ready = true): Listed => ({
  addresses: [`10.244.0.${last}`],
  conditions: { ready, serving: true, terminating: !ready },
  nodeName: `n${last}`,
  hints: { forZones: zones.map((name) => ({ name })), forNodes: nodes.map((name) => ({ name })) },
});

const chosen = (endpoints: Listed[], zone: string | undefined, nodeName = "n1") => {
  const slice = { addressType: "IPv4", ports: [{ name: "", port: 80 }], endpoints };
  const found = backends([slice], { port: 80 }, { nodeName, zone }, IPV4);
  const last = (list: readonly { address: string }[]) => list.map(({ address }) => Number(address.split(".")[3]));
  return { cluster: last(found.cluster), local: last(found.local) };
};

const everywhere = [endpoint(1, ["east"], ["n1"]), endpoint(2, ["east"], ["n2"]), endpoint(3, ["west"], ["n3"])];
const byZone = everywhere.map(({ hints, ...rest }) => ({ ...rest, hints: { forZones: hints?.forZones } }));

test.each([
  ["its zone's", byZone, "west", "n1", [3]],
  ["its node's before its zone's", everywhere, "west", "n1", [1]],
  ["its zone's where none is its node's", everywhere, "east", "n9", [1, 2]],
  ["all where none is meant for its zone", byZone, "north", "n1", [1, 2, 3]],
  ["all where it has no zone", byZone, undefined, "n1", [1, 2, 3]],
  ["all where one is meant for nobody", [...byZone, endpoint(4, [])], "west", "n1", [1, 2, 3, 4]],
  ["its zone's, whatever those that are not ready say", [...byZone, endpoint(4, [], [], false)], "west", "n1", [3]],
  ["none but all that drain, where none is ready", [endpoint(4, ["west"], [], false)], "east", "n1", [4]],
])("a node uses %s", (_, endpoints, zone, nodeName, expected) => {
  expect(chosen(endpoints, zone, nodeName).cluster).toEqual(expected);
});

test("its own pods are its own whomever they are meant for", () => {
  expect(chosen(byZone, "west").local).toEqual([1]);
});
