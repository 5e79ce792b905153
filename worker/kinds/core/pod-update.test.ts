import { describe, expect, it } from "vitest";
import type { CoreV1PodSpec } from "../generated/types.ts";
import { Pod } from "./pod.ts";

const base: CoreV1PodSpec = {
  containers: [{ name: "c", image: "a:1" }],
  tolerations: [{ key: "k", operator: "Exists" }],
};

function problems(change: (spec: CoreV1PodSpec) => void, subresource = "", spec: CoreV1PodSpec = base) {
  const old: Pod = { metadata: { name: "p" }, spec: structuredClone(spec) };
  Pod.default(old);
  const pod = structuredClone(old);
  change(pod.spec ?? { containers: [] });
  Pod.default(pod);
  Pod.prepareForUpdate(pod, old, subresource);
  return [...Pod.validate(pod), ...Pod.validateUpdate(pod, old, subresource)];
}

describe("a pod's update may", () => {
  it.each<[string, (spec: CoreV1PodSpec) => void]>([
    ["change an image", (spec) => Object.assign(spec.containers[0] ?? {}, { image: "a:2" })],
    ["set a deadline", (spec) => Object.assign(spec, { activeDeadlineSeconds: 5 })],
    ["add a toleration", (spec) => spec.tolerations?.push({ key: "l", operator: "Exists" })],
  ])("%s", (_, change) => expect(problems(change)).toEqual([]));
});

describe("a pod's update may not", () => {
  it("change anything else, and shows the difference", () => {
    const [problem, ...more] = problems((spec) => Object.assign(spec, { nodeName: "n1" }));
    expect(more).toEqual([]);
    expect(problem?.field).toBe("spec");
    expect(problem?.message).toMatch(
      /^Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,.*\n@@ -\d+,7 \+\d+,7 @@\n/,
    );
    expect(problem?.message).toContain('\n- "NodeName": "",\n+ "NodeName": "n1",\n');
  });

  it("add a container", () => {
    const [problem] = problems((spec) => spec.containers.push({ name: "d", image: "x" }));
    expect(problem).toMatchObject({
      field: "spec.containers",
      message: "Forbidden: pod updates may not add or remove containers",
    });
  });

  it("take a toleration away", () => {
    expect(problems((spec) => Object.assign(spec, { tolerations: [] }))[0]?.message).toBe(
      "Forbidden: existing toleration can not be modified except its tolerationSeconds",
    );
  });

  it("change an ephemeral container once it is there", () => {
    const ephemeralContainers = [{ name: "dbg", image: "busybox" }];
    const change = (spec: CoreV1PodSpec) => Object.assign(spec.ephemeralContainers?.[0] ?? {}, { image: "other" });
    expect(problems(change, "ephemeralcontainers", { ...base, ephemeralContainers })).toEqual([
      {
        field: "spec.ephemeralContainers",
        reason: "FieldValueForbidden",
        message:
          'Forbidden: existing ephemeral containers "dbg" may not be changed\n@@ -1,6 +1,6 @@\n {\n  "Name": "dbg",\n- "Image": "busybox",\n+ "Image": "other",\n  "Command": null,\n  "Args": null,\n  "WorkingDir": "",\n',
      },
    ]);
  });
});

describe("a resize", () => {
  const resources = { requests: { cpu: "100m" }, limits: { cpu: "200m" } };
  const spec = { containers: [{ name: "c", image: "a:1", resources }] };
  it("changes amounts and nothing else", () => {
    const change = (changed: CoreV1PodSpec) =>
      Object.assign(changed, {
        nodeName: "n1",
        containers: [{ name: "c", image: "b", resources: { requests: { cpu: "150m" }, limits: { cpu: "300m" } } }],
      });
    expect(problems(change, "resize", spec)).toEqual([]);
  });
  it("keeps the pod's class", () => {
    const change = (changed: CoreV1PodSpec) => Object.assign(changed.containers[0] ?? {}, { resources: {} });
    expect(problems(change, "resize", spec)[0]?.message).toContain("Pod QOS Class may not change");
  });
});
