/** Apps that visitors reach by an Ingress or an HTTPRoute, while what they run on comes and goes. */
import { between, pick, type Random, weighted } from "../world/random.ts";
import { NAMESPACES } from "./objects.ts";
import { CLIENTS, type Deed, type Fault } from "./script.ts";

export const FRONT = "front-0";
/** In a visitor's or a turn's place of a node. */
export const EDGE = -1;

export type Front = Extract<Deed, { do: "front" }>;

/** One who asks again and again: `everyMs` from one request to the next, whatever becomes of it. */
export type Asker = {
  node: number;
  method: string;
  hasBody?: boolean;
  answerMs: number;
  everyMs: number;
  count: number;
};

/** What is done to the app, or to what it runs on; `rest`: the time to the next one, ms. */
export type Turn = { rest: number } & (
  | { turn: "roll" }
  | { turn: "scale"; replicas: number }
  | { turn: "evict"; nth: number }
  | { turn: "kill"; nth: number; grace?: number }
  | { turn: "drain"; node: number }
  | { turn: "uncordon"; node: number }
  | { turn: "hurt"; fault: Fault }
);

/** How long one takes at most, ms: what is begun later than this before the end would hurt what is to be healed. */
export const FRONT_MS = 5 * 60_000;

const METHODS = [
  { method: "GET" },
  { method: "GET" },
  { method: "POST" },
  { method: "POST", hasBody: true },
  { method: "PUT", hasBody: true },
];

const asker = (random: Random, node: number): Asker => {
  const everyMs = pick(random, [300, 700, 1_500]);
  return {
    node,
    ...pick(random, METHODS),
    answerMs: pick(random, [5, 5, 200, 3_000]),
    everyMs,
    count: Math.ceil(45_000 / everyMs),
  };
};

function turn(random: Random, nodes: number, isCalm: boolean): Turn {
  const node = between(random, 0, nodes - 1);
  const rest = pick(random, [500, 5_000, 15_000]);
  const nth = between(random, 0, 3);
  return weighted<() => Turn>(random, [
    [4, () => ({ turn: "roll", rest })],
    [2, () => ({ turn: "scale", replicas: between(random, 1, 3), rest })],
    [2, () => ({ turn: "evict", nth, rest })],
    [2, () => ({ turn: "kill", nth, ...pick(random, [{}, {}, { grace: 0 }, { grace: 1 }]), rest })],
    [2, () => ({ turn: "drain", node, rest })],
    [1, () => ({ turn: "uncordon", node, rest })],
    ...(isCalm ? [] : ([[6, () => ({ turn: "hurt", fault: trouble(random, node), rest })]] as [number, () => Turn][])),
  ])();
}

/** Of what goes wrong that which requests meet on their way. */
const trouble = (random: Random, node: number): Fault =>
  weighted<Fault>(random, [
    [2, { do: "crash-agent", node, ms: pick(random, [0, 20_000]) }],
    [2, { do: "power-off", node, ms: pick(random, [5_000, 60_000]) }],
    [2, { do: "cut", place: `node-${node}`, ms: pick(random, [5_000, 60_000]) }],
    [1, { do: "freeze", node, ms: pick(random, [2_000, 20_000]) }],
    [2, { do: "tear", nth: node }],
    [1, { do: "silence", nth: node }],
    [1, { do: "die" }],
    [3, { do: "tear-streams" }],
  ]);

const app = (random: Random) => ({
  metadata: { name: FRONT },
  spec: {
    replicas: between(random, 2, 3),
    selector: { matchLabels: { app: FRONT } },
    strategy: {
      type: "RollingUpdate",
      rollingUpdate: pick(random, [SURGE, SURGE, { maxSurge: 0, maxUnavailable: 1 }]),
    },
    template: {
      metadata: { labels: { app: FRONT } },
      spec: {
        terminationGracePeriodSeconds: 30,
        containers: [
          {
            name: "c",
            image: "app:1",
            readinessProbe: { exec: { command: ["true"] }, periodSeconds: 10 },
            lifecycle: { preStop: { sleep: { seconds: 3 } } },
          },
        ],
      },
    },
  },
});
const SURGE = { maxSurge: 1, maxUnavailable: 0 };

const service = (random: Random) => ({
  metadata: { name: FRONT },
  spec: {
    selector: { app: FRONT },
    ports: [{ port: 80, targetPort: 8080 }],
    ...pick(random, [{}, { clusterIP: "None" }, { clusterIP: "None" }]),
    ...(random() < 0.15 && { publishNotReadyAddresses: true }),
  },
});

/** Without a `trouble` in every other one: then nothing excuses a request that is lost. */
export function front(random: Random, nodes: number): Front {
  const isCalm = random() < 0.5;
  return {
    do: "front",
    client: between(random, 0, CLIENTS - 1),
    namespace: pick(random, NAMESPACES),
    by: pick(random, ["Ingress", "Ingress", "HTTPRoute"]),
    app: app(random),
    service: service(random),
    askers: [EDGE, EDGE, ...Array.from({ length: 2 }, () => between(random, 0, nodes - 1))].map((node) =>
      asker(random, node),
    ),
    turns: Array.from({ length: between(random, 2, 6) }, () => turn(random, nodes, isCalm)),
  };
}
