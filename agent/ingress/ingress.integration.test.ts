/** The proxy as a process of its own, and the agents that come and go before it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../test/support/cluster.ts";
import { freePort } from "../../test/support/free-port.ts";
import type { CoreV1NodeCondition } from "../../worker/kinds/generated/types.ts";
import { CLASS_NAME, CONTROLLER } from "../../worker/kinds/ingress/class.ts";
import { effects } from "../effects.ts";
import type { IngressObjects } from "./config.ts";
import { Counts } from "./counts.ts";
import { endIngress, Ingress } from "./ingress.ts";
import { get, HOST, listening, portOf } from "./testing/proxy.ts";

let home: string;
let program: Server;
let port: number;
const agents: Ingress[] = [];
const warnings: string[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "skerry-"));
  program = await listening(createServer((_, response) => response.end("app")));
  port = await freePort();
  warnings.length = 0;
});

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.stop();
  await endIngress(home);
  await eventually("no proxy is left", async () => proxies().length === 0);
  program.close();
  rmSync(home, { recursive: true });
});

function start(version?: string): Ingress {
  const agent = new Ingress({
    home,
    ports: { http: port, https: 0 },
    timers: effects,
    onChange: () => {},
    warn: (reason, message) => warnings.push(`${reason}: ${message}`),
    log: () => {},
    wake: () => {},
    edge: new Counts(effects.now),
    ...(version && { version }),
  });
  agents.push(agent);
  return agent;
}

const objects = (isThere = true): IngressObjects => ({
  ingresses: isThere
    ? [
        {
          metadata: { name: "web", namespace: "default" },
          spec: {
            ingressClassName: CLASS_NAME,
            rules: [
              {
                host: HOST,
                http: {
                  paths: [
                    { path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } },
                  ],
                },
              },
            ],
          },
        },
      ]
    : [],
  classes: [{ metadata: { name: CLASS_NAME }, spec: { controller: CONTROLLER } }],
  services: new Map([["default/web", { metadata: {}, spec: { ports: [{ port: 80 }] } }]]),
  slices: [
    {
      metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ port: portOf(program) }],
      endpoints: [{ addresses: ["127.0.0.1"] }],
    },
  ],
  secrets: new Map(),
});

/** Processes of this home. */
const proxies = (): number[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(home, "ingress")) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });

const answers = () => get(port).then(({ text }) => text === "app");
const condition = (agent: Ingress, before: CoreV1NodeCondition[] = []) => agent.condition(before, effects.now());

test("it is there while there is an Ingress, outlives its agent, and comes back when it is killed", async () => {
  const first = start();
  first.sync(objects(false));
  expect(condition(first)).toBeUndefined();
  first.sync(objects());
  await eventually("it serves", answers);
  await eventually("it is told", async () => condition(first)?.status === "True");
  expect(condition(first)).toMatchObject({ status: "True", reason: "Listening", message: `port ${port} for HTTP` });
  const [pid] = proxies();

  first.stop();
  expect(await answers()).toBe(true);
  const second = start();
  const told: CoreV1NodeCondition = { type: "IngressListening", status: "True", message: "before" };
  expect(condition(second, [told])).toEqual(told); // until it is known
  second.sync(objects());
  await eventually("the next agent knows", async () => condition(second) !== undefined);
  expect(proxies()).toEqual([pid]);
  const seen = async () => (await second.traffic()).ingresses["default/web"];
  const before = await eventually("what came before that agent is told", seen);
  expect(before).toMatchObject({ pending: 0 });
  await eventually(
    "requests of the last seconds are",
    async () => (await answers()) && ((await seen())?.perSecond ?? 0) > 0,
  );

  process.kill(pid ?? 0, "SIGKILL");
  await eventually("another one serves", answers);
  expect(proxies()).not.toEqual([pid]);

  second.sync(objects(false));
  await eventually("nobody listens", () =>
    answers().then(
      () => false,
      () => true,
    ),
  );
  await eventually("it has ended", async () => proxies().length === 0);
  expect(condition(second)).toBeUndefined();
  expect(condition(second, [told])).toMatchObject({ status: "False", reason: "NoIngress" });
  expect(warnings).toEqual([]);
});

test("an agent of another version brings a proxy of its own; those who wait for an answer get it from the old one", async () => {
  const waiting: (() => void)[] = [];
  program.removeAllListeners("request");
  program.on("request", (request, response) => {
    if (request.url === "/slow") waiting.push(() => response.end("late"));
    else response.end("app");
  });
  const first = start();
  first.sync(objects());
  await eventually("it serves", answers);
  const [pid] = proxies();
  const slow = get(port, "/slow");
  await eventually("a request is open", async () => waiting.length === 1);

  first.stop();
  start("0.0.0-other").sync(objects());
  await eventually("a new one serves", async () => proxies().some((other) => other !== pid) && (await answers()));
  expect(proxies()).toContain(pid);
  for (const each of waiting) each();
  expect((await slow).text).toBe("late");
  await eventually("the old one has ended", async () => !proxies().includes(pid ?? 0));
});

test("a port that another program has is told of, and taken when it is free", async () => {
  const other = await listening(createServer(), port);
  const agent = start();
  agent.sync(objects());
  const message = `port ${port} cannot be listened on: another program has it`;
  await eventually("it is told", async () => warnings.length > 0);
  expect(warnings).toEqual([`IngressPortTaken: ${message}`]);
  expect(condition(agent)).toMatchObject({ status: "False", reason: "PortTaken", message });
  other.close();
  await eventually("it serves", () => answers().catch(() => false));
  await eventually("it is told", async () => condition(agent)?.status === "True");
});
