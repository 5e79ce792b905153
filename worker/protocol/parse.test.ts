import { describe, expect, test } from "vitest";
import type { ToCluster, ToNode } from "./link.ts";
import { ProtocolError, parseToCluster, parseToNode } from "./parse.ts";

/** The wire is pinned: a change here is a change of protocol, and needs a new version. */
const golden: { toCluster: string[]; toNode: string[] } = {
  toCluster: [
    '{"type":"hello","version":1,"agent":"0.1.0","node":"a","revision":0}',
    '{"type":"health","ready":false,"message":"containerd is down"}',
    '{"type":"call","id":1,"method":"GET","path":"/api/v1/nodes/a"}',
    '{"type":"usage","id":1,"usage":{"at":1,"node":{"cpu":250000000,"memory":1048576,"windowMs":10000},"pods":[]}}',
    '{"type":"wake","namespace":"default","service":"web"}',
    '{"type":"wake","namespace":"default","service":"web","by":{"protocol":"TCP","port":80,"address":"10.244.0.7"}}',
  ],
  toNode: [
    '{"type":"snapshot","revision":7,"objects":[{"resource":"pods","namespace":"default","name":"p","object":null}]}',
    '{"type":"changes","revision":8,"changes":[]}',
    '{"type":"reply","id":1,"code":200,"body":null}',
    '{"type":"usage","id":1,"pods":true}',
    '{"type":"usage","id":2,"pods":false,"traffic":true}',
    '{"type":"stream","request":{"id":"u","kind":"log","namespace":"default","pod":"p","uid":"x","container":"c","query":[],"subprotocol":""}}',
    '{"type":"stream","request":{"id":"u","kind":"proxy","scheme":"http","address":"10.244.0.2","port":80}}',
  ],
};

describe("the wire", () => {
  test.each(golden.toCluster)("to the cluster: %s", (text) => {
    const message: ToCluster = parseToCluster(text);
    expect(JSON.stringify(message)).toBe(text);
  });
  test.each(golden.toNode)("to the node: %s", (text) => {
    const message: ToNode = parseToNode(text);
    expect(JSON.stringify(message)).toBe(text);
  });
  test.each([
    "",
    "null",
    "[]",
    "{}",
    '{"type":"constructor"}',
    '{"type":"hello"}',
    '{"type":"hello","version":"1","agent":"","node":"a","revision":0}',
    '{"type":"hello","version":1,"agent":"","node":"a","revision":1.5}',
    '{"type":"call","id":1,"method":"GET"}',
    '{"type":"health","ready":1,"message":""}',
  ])("refuses %s", (text) => {
    expect(() => parseToCluster(text)).toThrow(ProtocolError);
  });
});
