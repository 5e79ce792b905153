import { clusterClock } from "../../../agent/clock.ts";
import { AgentCore, type AgentParts } from "../../../agent/core.ts";
import type { PolicyState } from "../../../agent/network/types.ts";
import { Writability } from "../../../agent/node/writability.ts";
import { State } from "../../../agent/state.ts";
import type { Named } from "../../../agent/volumes/persistent/provisioned.ts";
import type { SimNode, SimNodeOptions } from "../contract.ts";
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
  const { name, part, connect, observe, volumes, reach = () => undefined, log = () => {} } = options;
  const time = new NodeTime(part);
  const machine = new Machine(time, options);
  const disk = new Disk();
  const trouble = new Trouble(machine);
  let life: Life | undefined;
  let boot = 0;
  let writes = 0;
  let visits = 0;
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
    const parts: AgentParts = {
      node: name,
      machineId: name,
      state: new State(disk.database, writability),
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
      ingress: modelIngress(machine, agent),
      host: (api) => modelHost(machine, disk, nerdctl, agent, name, api, volumes),
      facts: (images, conditions) => facts({ name, boot, images, conditions, now: effects.now() }),
      serveStream: (request) => {
        if (request.kind === "proxy" && request.volume) void give(request.id, request.volume);
      },
      log,
    };
    const core = new AgentCore(parts);
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
  const crash = () => {
    life?.end();
    life = undefined;
    machine.mourners.clear();
    machine.watchers.clear();
  };
  return {
    name,
    machine,
    disk,
    start,
    crash,
    powerOff() {
      crash();
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
    async visit(host, answerMs) {
      const { proxy } = machine;
      if (!proxy || time.frozenFor() > 0) return;
      const told = { type: "visit", visit: `${name} ${++visits}`, node: name, host } as const;
      observe({ ...told, state: "begun" });
      const cut = Promise.withResolvers<number>();
      const leave = () => cut.resolve(0);
      machine.visitors.add(leave);
      const answer = proxy.serve(host, reach, async (pod) => {
        observe({ ...told, state: "reached", pod });
        await machine.life.effects.sleep(answerMs);
      });
      const status = await Promise.race([answer, cut.promise]);
      machine.visitors.delete(leave);
      observe({ ...told, state: "ended", status });
    },
  };
}
