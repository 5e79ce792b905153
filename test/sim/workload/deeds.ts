/** What clients do, made from chance. */
import { between, pick, type Random, weighted } from "../world/random.ts";
import * as asks from "./asks.ts";
import { collection, type Make } from "./asks.ts";
import { EDGE } from "./fronts.ts";
import {
  APP,
  deployment,
  diskApp,
  NAMESPACES,
  STEADY_TEMPLATES,
  store,
  UNSTEADY,
  UNSTEADY_TEMPLATES,
} from "./objects.ts";
import { CLIENTS, type Deed, type Move } from "./script.ts";

const dropNamespace: Make = (random, _, client) => ({
  do: "ask",
  client,
  sent: { method: "DELETE", path: `/api/v1/namespaces/${pick(random, NAMESPACES.slice(1))}` },
});

const makeNamespace: Make = (random, _, client) => ({
  do: "ask",
  client,
  sent: { method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: pick(random, NAMESPACES.slice(1)) } } },
});

const evict: Make = (random, { namespace }, client) => ({
  do: "evict",
  client,
  namespace,
  nth: between(random, 0, 9),
  count: pick(random, [1, 3, 9]),
});
const kill: Make = (random, { namespace }, client) => ({
  do: "kill",
  client,
  namespace,
  nth: between(random, 0, 9),
  ...pick(random, [{}, {}, { grace: 1 }, { grace: 0 }]),
});
const bind: Make = (random, { namespace }, client, nodes) => ({
  do: "bind",
  client,
  namespace,
  nth: between(random, 0, 9),
  node: between(random, 0, nodes - 1),
});
const hold: Make = (random, { namespace }, client) => ({
  do: "hold",
  client,
  namespace,
  ms: between(random, 0, 100_000),
});
const own: Make = (random, { namespace }, client) => {
  const home = `namespaces/${namespace}`;
  const all = [
    `/apis/apps/v1/${home}/deployments/web-0`,
    `/apis/apps/v1/${home}/deployments/web-1`,
    `/api/v1/${home}/configmaps/config-0`,
    `/api/v1/${home}/configmaps/config-1`,
  ];
  const owners = all.filter(() => random() < 0.5);
  const propagationPolicy = pick(random, ["Background", "Foreground", "Orphan"]);
  return {
    do: "own",
    client,
    namespace,
    name: `owned-${between(random, 0, 2)}`,
    owners: owners.length > 0 ? owners : all,
    ...(random() < 0.5 && { ends: { ms: between(random, 0, 30_000), propagationPolicy } }),
  };
};
const drain: Make = (random, _, client, nodes) => ({ do: "drain", client, node: between(random, 0, nodes - 1) });
const uncordon: Make = (random, _, client, nodes) => ({ do: "uncordon", client, node: between(random, 0, nodes - 1) });

const taint: Make = (random, _, client, nodes) => ({
  do: "taint",
  client,
  node: between(random, 0, nodes - 1),
  effect: pick(random, ["NoSchedule", "NoExecute", undefined]),
});
const forgetNode: Make = (random, _, client, nodes) => ({
  do: "forget-node",
  client,
  node: between(random, 0, nodes - 1),
});

const PATIENCES = ["Never", "30s", "2m", "soon"];

const site: Make = (random, _, client, nodes) => ({
  do: "site",
  client,
  node: between(random, 0, nodes - 1),
  zone: pick(random, ["a", "b"]),
  policies: pick<Record<string, string>>(random, [
    {},
    {},
    { a: pick(random, PATIENCES) },
    { b: pick(random, PATIENCES) },
    { default: pick(random, PATIENCES) },
  ]),
  ...(random() < 0.5 && { lostMs: between(random, 60_000, 240_000) }),
});

/** Each of those that have a part in it may be away at each step. */
const through = (random: Random): Pick<Move, "through" | "ms" | "mishap"> => ({
  through: true,
  ...(random() < 0.2 && { ms: between(random, 0, 30_000) }),
  ...(random() < 0.5 && {
    mishap: {
      after: pick(random, [between(random, 0, 3_000), between(random, 0, 20_000)]),
      whose: pick(random, ["from", "to", "cluster"]),
      what: pick(random, ["crash-agent", "crash-agent", "power-off", "cut", "lost"]),
      ms: pick(random, [0, between(random, 1_000, 60_000), 200_000]),
    },
  }),
});

const move: Make = (random, { namespace }, client, nodes) => ({
  do: "move",
  client,
  namespace,
  store: store(random, "store-0"),
  nth: between(random, 0, 1),
  moves: Array.from({ length: between(random, 1, 3) }, () => ({
    node: between(random, 0, nodes - 1),
    ...pick(random, [{}, { grace: 0 }, { grace: 1 }, { grace: 1 }, { grace: 5 }]),
    ...(random() < 0.2 && { ms: between(random, 0, 10_000) }),
    ...(random() < 0.15 && { drops: true, grace: 0 }),
    ...(random() < 0.6 && through(random)),
    rest: pick(random, [1_000, 20_000, 60_000]),
  })),
});

const disk: Make = (random, { namespace }, client, nodes) => {
  const name = `disk-${between(random, 0, 999_999)}`;
  return {
    do: "disk",
    client,
    namespace,
    name,
    app: diskApp(random, name),
    steps: Array.from({ length: between(random, 1, 4) }, () => ({
      ...(random() < 0.8 && { node: between(random, 0, nodes - 1) }),
      ...pick(random, [{}, { grace: 0 }, { grace: 0 }, { grace: 1 }]),
      rest: pick(random, [1_000, 10_000, 60_000]),
    })),
  };
};

const visit: Make = (random, { namespace }, client, nodes) => ({
  do: "visit",
  client,
  namespace,
  app: deployment(["app:1"])(random, APP),
  idle: pick(random, ["10s", "30s", "60s"]),
  visits: Array.from({ length: between(random, 2, 8) }, () => ({
    node: between(random, EDGE, nodes - 1),
    answerMs: pick(random, [10, 10, 1_000, 30_000, 90_000]),
    rest: pick(random, [0, 100, 15_000, 40_000, 90_000]),
  })),
});

const pages: Make = (random, place, client) => ({
  do: "pages",
  client,
  path: random() < 0.5 ? collection(place) : `${place.template.api}/${place.template.plural}`,
  limit: between(random, 1, 5),
  between: pick(random, [0, 100, 20_000]),
});

const watch: Make = (random, place, client) => {
  const { api, plural } = place.template;
  const group = api.split("/").at(-2);
  const isWhole = random() < 0.5;
  return {
    do: "watch",
    client,
    path: isWhole ? `${api}/${plural}` : collection(place),
    resource: api === "/api/v1" ? plural : `${plural}.${group}`,
    ...(!isWhole && { namespace: place.namespace }),
    ...(random() < 0.3 && { selector: "changed=1" }),
    ...patience(random),
  };
};

const patience = (random: Random) => ({
  seconds: pick(random, [10, 60, 600]),
  away: pick(random, [0, 1_000, 20_000]),
});

/** Pods change most, and enter and leave selections as they go. */
const watchPods: Make = (random, { namespace }, client) => ({
  do: "watch",
  client,
  resource: "pods",
  ...pick(random, [{ path: "/api/v1/pods" }, { path: `/api/v1/namespaces/${namespace}/pods`, namespace }]),
  ...pick(random, [
    {},
    { fields: "status.phase=Pending" },
    { fields: "spec.nodeName=node-0" },
    { fields: "spec.nodeName=" },
    { selector: "app=web-0" },
  ]),
  ...patience(random),
});

const DEEDS: readonly (readonly [number, Make])[] = [
  [8, asks.create],
  [8, asks.apply],
  [6, asks.patch],
  [4, asks.edit],
  [5, asks.scale],
  [4, asks.remove],
  [1, asks.sweep],
  [1, asks.status],
  [1, dropNamespace],
  [3, makeNamespace],
  [3, evict],
  [3, kill],
  [1, bind],
  [2, hold],
  [5, own],
  [2, drain],
  [2, uncordon],
  [1, taint],
  [0.5, forgetNode],
  [1, site],
  [2, move],
  [2, disk],
  [2, visit],
  [0.5, asks.generate],
  [2, pages],
  [4, watch],
  [3, watchPods],
  [2, asks.nonsense],
];

/** `progress` is how much of the hurting time has passed: first things are made. */
export function deed(random: Random, nodes: number): (progress: number) => Deed {
  let begun = 0;
  return (progress) => {
    const client = between(random, 0, CLIENTS - 1);
    const isUnsteady = random() < 0.07;
    const namespace = isUnsteady ? UNSTEADY : pick(random, NAMESPACES);
    const template = weighted(random, isUnsteady ? UNSTEADY_TEMPLATES : STEADY_TEMPLATES);
    const isFirst = begun++ < 12 && progress < 0.5;
    const make = isFirst ? pick(random, [asks.create, asks.apply]) : weighted(random, DEEDS);
    return make(random, { namespace, template }, client, nodes);
  };
}
