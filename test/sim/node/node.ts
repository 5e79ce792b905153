import { clusterClock } from "../../../agent/clock.ts";
import { AgentCore, type AgentParts } from "../../../agent/core.ts";
import { Counts } from "../../../agent/ingress/counts.ts";
import type { PolicyState } from "../../../agent/network/types.ts";
import { Writability } from "../../../agent/node/writability.ts";
import { parseSandboxName } from "../../../agent/pods/memory.ts";
import { State } from "../../../agent/state.ts";
import type { Named } from "../../../agent/volumes/persistent/provisioned.ts";
import type { ProxyRequest } from "../../../worker/protocol/link.ts";
import type { Heard, SimNode, SimNodeOptions, Visit, Visitor } from "../contract.ts";
import { ModelDialer } from "./dialer.ts";
import { Disk } from "./disk.ts";
import { facts } from "./facts.ts";
import { modelHost } from "./host.ts";
import { Machine } from "./machine.ts";
import { modelNetwork } from "./network.ts";
import { modelIngress } from "./proxy.ts";
import { ModelNerdctl } from "./runtime.ts";
import { linkSocket } from "./socket.ts";
import { type Life, NodeTime } from "./time.ts";
import { Trouble } from "./trouble.ts";

/** As the rules of the simulator have them. */
const policyWords = ({ rules, peers }: PolicyState): string[] => [
  ...[...rules()].map(([key, object]) => `rules ${key} ${JSON.stringify(object)}`),
  ...[...peers()].map(([key, object]) => `peers ${key} ${JSON.stringify(object)}`),
];

/** A node with what lies beneath it open to tests. */
export type ModelNode = SimNode & { readonly machine: Machine; readonly disk: Disk };

/** A machine with a real agent over a model of containerd. `log` hears what the agent says. See `programs.ts` for what containers do. */
export function createNode(options: SimNodeOptions & { log?(message: string): void }): ModelNode {
  const { name, part, connect, observe, volumes, askBucket, streams } = options;
  const { reach = () => "no route", log = () => {} } = options;
  const time = new NodeTime(part);
  const machine = new Machine(time, options);
  const disk = new Disk();
  const trouble = new Trouble(machine);
  let life: Life | undefined;
  let boot = 0;
  let writes = 0;
  let visits = 0;
  let agents = 0;
  /** What the agent knows that lives, once it has spoken to the proxy. */
  let heard = (): Heard | undefined => undefined;
  const told = ({ visit, node, host, method }: Visit) => ({ type: "visit", visit, node, host, method }) as const;
  const dialer = new ModelDialer(machine, {
    reach,
    sent: (visit, address) => observe({ ...told(visit), state: "sent", address, heard: heard() }),
    reached: (visit, pod) => observe({ ...told(visit), state: "reached", pod }),
  });
  machine.writes = (podUid) => {
    for (const [volume, folder] of disk.mounted.get(podUid) ?? []) {
      const found = disk.folders.get(folder);
      if (found === undefined) continue;
      const left = `${name} ${++writes}`;
      disk.folders.set(folder, left);
      observe({ type: "data", node: name, volume, found, left });
    }
  };

  const start = () => {
    if (life) return;
    if (machine.life.ended) {
      machine.powerOn();
      boot++;
      trouble.begin();
    }
    life = time.life();
    const agent = life;
    const nerdctl = new ModelNerdctl(machine, agent);
    const effects = clusterClock(agent.effects);
    const writability = new Writability();
    const state = new State(disk.database, writability);
    const edge = new Counts(agent.effects.now);
    const number = ++agents;
    const onSync = () => {
      if (!agent.ended) heard = () => ({ revision: state.revision(), agent: number });
    };
    const parts: AgentParts = {
      node: name,
      machineId: name,
      state,
      writability,
      machine: agent.effects,
      effects,
      dial: () => linkSocket(connect(), agent, time),
      upstream: { url: "https://cluster.example" },
      runtime: nerdctl,
      watchRuntime: (onHealth) => {
        machine.onAnswers = (answers) => {
          if (!agent.ended) onHealth(answers);
        };
      },
      network: modelNetwork(machine, agent),
      ingress: modelIngress(machine, agent, { dialer, edge, onSync }),
      host: (api) => modelHost(machine, disk, nerdctl, agent, name, api, { volumes, askBucket }),
      facts: (images, conditions) => facts({ name, boot, images, conditions, now: effects.now() }),
      serveStream: (request) => {
        if (request.kind !== "proxy") return;
        if (request.volume) void give(request.id, request.volume);
        else streams?.come(request.id, (visit) => serve(request, visit));
      },
      log,
    };
    const core = new AgentCore(parts);
    const serve = async (request: ProxyRequest, visit: Visit & Visitor) => {
      const count = request.counts && edge.begin(request.counts);
      count?.to(request.address);
      const answer = await agent.await(dialer.serve(request, visit));
      count?.end();
      return answer;
    };
    const give = async (id: string, volume: Named) => {
      try {
        let data = "";
        for await (const piece of core.volumeData?.read(volume, true) ?? []) data += piece;
        volumes?.give(id, data);
      } catch (error) {
        volumes?.give(id, error as Error);
      }
    };
    core.start();
  };
  const end = () => {
    life?.end();
    life = undefined;
    heard = () => undefined;
    machine.mourners.clear();
    machine.watchers.clear();
  };
  const crash = () => {
    end();
    streams?.reset();
  };
  return {
    name,
    machine,
    disk,
    start,
    crash,
    powerOff() {
      end();
      machine.powerOff();
    },
    freeze: (ms) => time.freeze(ms),
    skew: (ms) => time.skew(ms),
    remember: () => disk.remember(),
    restore() {
      const ran = life !== undefined;
      crash();
      disk.restore();
      if (ran) start();
    },
    lose() {
      const ran = life !== undefined;
      crash();
      disk.lose();
      if (ran) start();
    },
    fill(on) {
      disk.full = on;
    },
    trouble: (on) => trouble.set(on),
    running: () => life !== undefined,
    policies: () => machine.policies && policyWords(machine.policies),
    backends: () => machine.proxy?.backends,
    folders: () => disk.folders,
    listening() {
      const servers = machine.servers();
      return new Map(
        [...machine.networks].flatMap(([sandbox, address]) => {
          const server = servers.get(parseSandboxName(sandbox).uid);
          return server ? [[address, server.begun] as const] : [];
        }),
      );
    },
    async visit(visitor) {
      const { proxy } = machine;
      if (!proxy || time.frozenFor() > 0) return;
      const { host, method } = visitor;
      const visit: Visit = { visit: `${name} ${++visits}`, node: name, host, method };
      observe({ ...told(visit), state: "begun", heard: heard() });
      const cut = Promise.withResolvers<number>();
      const leave = () => cut.resolve(0);
      machine.visitors.add(leave);
      const status = await Promise.race([proxy.serve({ ...visitor, ...visit }), cut.promise]);
      machine.visitors.delete(leave);
      observe({ ...told(visit), state: "ended", status, heard: heard() });
    },
    connect(pod) {
      if (machine.life.ended || time.frozenFor() > 0) return "silence";
      const server = machine.servers().get(pod.podUid);
      return server ? { pod, ask: (answerMs) => machine.ask(server, answerMs) } : "refused";
    },
  };
}
