import { expect, test } from "vitest";
import { CloseCode } from "../protocol/link.ts";
import { Link, type NodeSocket, type Session } from "./link.ts";

const NOW = 1_000_000;

function cluster() {
  const sockets: (NodeSocket & { code?: number; reason?: string; sent: string[] })[] = [];
  const answers: unknown[] = [];
  const open = () => sockets.filter(({ code }) => code === undefined);
  const link = new Link({
    objects: {
      get: () => undefined,
      list: () => [],
      podsOnNode: () => [],
      podsIn: () => [],
      volumesWithWork: () => [],
    },
    sockets: open,
    socketsOf: open,
    revision: () => 1,
    since: () => [],
    podsSince: () => [],
    call: async () => ({ code: 200, body: null }),
    welcome: async () => ({
      type: "welcome",
      version: 2,
      now: NOW,
      clusterId: "c",
      clusterDomain: "cluster.local",
      dnsAddress: "",
      apiAddress: "",
      serviceCIDR: "",
      ca: "",
      apiCertificate: "",
      apiKey: "",
      told: "services,ingresses",
    }),
    report: () => {},
    health: () => {},
    usage: (...answer) => void answers.push(answer),
    now: () => NOW,
  });
  /** A machine that opens a socket and says hello; `heard` is when it last spoke. */
  const connect = async (machine?: string, heard = NOW, version = 2, more: object = {}) => {
    let session: Session = { node: "a", state: "greeting" };
    const socket: (typeof sockets)[number] = {
      sent: [],
      send: (text) => void socket.sent.push(text),
      close: (code, reason) => Object.assign(socket, { code, reason }),
      session: () => session,
      heard: () => heard,
      remember: (next) => {
        session = next;
      },
    };
    sockets.push(socket);
    link.opened(socket, "a");
    const hello = { type: "hello", version, agent: "1", node: "a", revision: 0, ...(machine && { machine }), ...more };
    await link.message(socket, JSON.stringify(hello));
    return socket;
  };
  return { link, connect, answers };
}

test("an agent is asked what its node uses when it knows the question, and its answer told", async () => {
  const { link, connect, answers } = cluster();
  const older = await connect();
  expect(link.askUsage("a", 1, true)).toBe(false);
  const newer = await connect(undefined, NOW, 3);
  expect(link.askUsage("a", 2, true)).toBe(true);
  expect(link.askUsage("b", 3, true)).toBe(false);
  const asked = (socket: typeof older) => socket.sent.filter((text) => text.includes('"usage"'));
  expect([asked(older), asked(newer)]).toEqual([[], ['{"type":"usage","id":2,"pods":true}']]);
  await link.message(newer, '{"type":"usage","id":2,"usage":{"at":5}}');
  expect(answers).toEqual([["a", 2, { at: 5 }]]);
});

test("a machine that comes anew takes its own place", async () => {
  const { link, connect } = cluster();
  const first = await connect("m1");
  const second = await connect("m1");
  expect(first.code).toBe(CloseCode.replaced);
  expect(second.code).toBeUndefined();
  expect(link.connected("a")).toBe(true);
});

test("another machine is refused while the first is there, and told why", async () => {
  const { link, connect } = cluster();
  const first = await connect("m1");
  const second = await connect("m2");
  expect(second).toMatchObject({ code: CloseCode.taken, reason: "another machine is connected as node a", sent: [] });
  expect(first.code).toBeUndefined();
  expect(link.connected("a")).toBe(true);
});

test("a machine that has not been heard for long gives way to another", async () => {
  const { connect } = cluster();
  const first = await connect("m1", NOW - 60_000);
  expect((await connect("m2")).code).toBeUndefined();
  expect(first.code).toBe(CloseCode.replaced);
});

test("agents that name no machine replace each other, as they did", async () => {
  const { connect } = cluster();
  const first = await connect();
  const second = await connect("m1");
  expect([first.code, second.code]).toEqual([CloseCode.replaced, undefined]);
});

test("an agent that has what a cluster sent that told less is told all anew", async () => {
  const { connect } = cluster();
  const answered = async (more: object) => {
    const { sent } = await connect(undefined, NOW, 2, { revision: 1, ...more });
    return (JSON.parse(sent.at(-1) ?? "{}") as { type: string }).type;
  };
  expect(await answered({ told: "services" })).toBe("snapshot");
  expect(await answered({ told: "" })).toBe("snapshot");
  expect(await answered({ told: "services,ingresses" })).toBe("changes");
  expect(await answered({})).toBe("changes"); // an agent of before, which could do nothing with more
});
