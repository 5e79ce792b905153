import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test } from "vitest";
import { nodeConfiguration } from "./node-configuration.ts";
import { type NodeOptions, withNodeOptions } from "./node-options.ts";

const optionsOf = (...args: string[]): NodeOptions => {
  const command = withNodeOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(args, { from: "user" }).opts<NodeOptions>();
};

test("the kubelet's flags say what its configuration file does, and go before it", () => {
  const folder = mkdtempSync(join(tmpdir(), "kubelet-"));
  const file = join(folder, "kubelet.yaml");
  writeFileSync(
    file,
    "kind: KubeletConfiguration\nmaxPods: 20\npodPidsLimit: 100\nevictionHard: { pid.available: 10% }\n",
  );
  const options = optionsOf(
    ...["--config", file, "--max-pods", "30", "--kube-reserved", "cpu=100m,memory=1Gi"],
    ...[
      "--eviction-hard",
      "memory.available<200Mi,nodefs.available<5%",
      "--eviction-minimum-reclaim",
      "nodefs.available=1Gi",
    ],
    ...["--node-labels", "disk=ssd", "--register-with-taints", "dedicated=db:NoSchedule,new:NoExecute"],
  );
  expect(nodeConfiguration(options)).toMatchObject({
    maxPods: 30,
    podPidsLimit: 100,
    kubeReserved: { cpu: "100m", memory: "1Gi" },
    evictionHard: { "memory.available": "200Mi", "nodefs.available": "5%" },
    evictionMinimumReclaim: { "nodefs.available": "1Gi" },
    nodeLabels: { disk: "ssd" },
    registerWithTaints: [
      { key: "dedicated", value: "db", effect: "NoSchedule" },
      { key: "new", effect: "NoExecute" },
    ],
  });
  rmSync(folder, { recursive: true });
});

test.each([
  [["--max-pods", "many"], "a whole number is needed"],
  [["--kube-reserved", "cpu"], "cpu is no NAME=VALUE"],
  [["--eviction-hard", "memory.available=1"], "memory.available=1 is no NAME<VALUE"],
  [["--register-with-taints", "a=b:Never"], "a=b:Never is no KEY=VALUE:EFFECT"],
])("what cannot be read is refused: %j", (args, message) => {
  expect(() => optionsOf(...args)).toThrow(message);
});

test("what makes no sense is refused before anything starts", () => {
  expect(() => nodeConfiguration(optionsOf("--eviction-soft", "memory.available<1Gi"))).toThrow("grace period must be");
  expect(() => nodeConfiguration(optionsOf("--stun", "192.0.2.1:3478,host:99999"))).toThrow("STUN server host:99999");
  expect(nodeConfiguration(optionsOf("--stun", "none"))).toEqual({ stunServers: [] });
});
