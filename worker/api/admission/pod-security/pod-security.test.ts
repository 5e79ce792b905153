import { describe, expect, it } from "vitest";
import type { CoreV1PodSpec } from "../../../kinds/generated/types.ts";
import { ns, session } from "../../testing/session.ts";
import { labelProblems, policyOf, violations } from "./policy.ts";

const LABEL = "pod-security.kubernetes.io/";
const container = { name: "c", image: "app" };
const strict = {
  containers: [{ ...container, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } }],
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
};

const judge = (level: "baseline" | "restricted", spec: object, version = "latest", annotations = {}) =>
  violations({ level, version }, { metadata: { annotations }, spec: spec as CoreV1PodSpec }).map(
    ({ reason, detail }) => `${reason} (${detail})`,
  );
const inContainer = (securityContext: object) => ({ containers: [{ ...container, securityContext }] });

describe("the baseline forbids", () => {
  it.each([
    [
      inContainer({ capabilities: { add: ["SYS_TIME", "CHOWN", "NET_ADMIN"] } }),
      'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)',
    ],
    [{ hostNetwork: true, hostPID: true, containers: [container] }, "host namespaces (hostNetwork=true, hostPID=true)"],
    [
      {
        containers: [],
        volumes: [
          { name: "a", hostPath: { path: "/" } },
          { name: "b", hostPath: { path: "/" } },
        ],
      },
      'hostPath volumes (volumes "a", "b")',
    ],
    [
      { containers: [{ ...container, ports: [{ hostPort: 80 }, { hostPort: 8080 }] }] },
      'hostPort (container "c" uses hostPorts 80, 8080)',
    ],
    [
      { containers: [{ ...container, livenessProbe: { httpGet: { host: "example.com" } } }] },
      'probe or lifecycle host (container "c" uses probe or lifecycle host "example.com")',
    ],
    [inContainer({ privileged: true }), 'privileged (container "c" must not set securityContext.privileged=true)'],
    [
      inContainer({ procMount: "Unmasked" }),
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      { containers: [container], securityContext: { seLinuxOptions: { type: "spc_t", user: "root" } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      {
        ...inContainer({ seccompProfile: { type: "Unconfined" } }),
        securityContext: { seccompProfile: { type: "Unconfined" } },
      },
      'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { containers: [container], securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } },
      "forbidden sysctls (kernel.msgmax)",
    ],
    [
      inContainer({ windowsOptions: { hostProcess: true } }),
      'hostProcess (container "c" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      inContainer({ appArmorProfile: { type: "Unconfined" } }),
      'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
    ],
  ])("%j", (spec, message) => {
    expect(judge("baseline", spec)).toEqual([message]);
  });

  it("nothing that a plain pod does", () => {
    expect(judge("baseline", { containers: [container] })).toEqual([]);
  });
});

describe("the restricted level asks for", () => {
  it("what a plain pod does not say", () => {
    expect(judge("restricted", { containers: [container], initContainers: [{ ...container, name: "i" }] })).toEqual([
      'allowPrivilegeEscalation != false (containers "i", "c" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (containers "i", "c" must set securityContext.capabilities.drop=["ALL"])',
      'runAsNonRoot != true (pod or containers "i", "c" must set securityContext.runAsNonRoot=true)',
      'seccompProfile (pod or containers "i", "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]);
    expect(judge("restricted", strict)).toEqual([]);
  });

  it.each([
    [
      {
        volumes: [
          { name: "h", hostPath: { path: "/" } },
          { name: "n", nfs: {} },
          { name: "e", emptyDir: {} },
        ],
      },
      'restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs")',
    ],
    [{ securityContext: { ...strict.securityContext, runAsUser: 0 } }, "runAsUser=0 (pod must not set runAsUser=0)"],
    [
      { securityContext: { ...strict.securityContext, runAsNonRoot: false } },
      "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)",
    ],
  ])("no %j", (change, message) => {
    expect(judge("restricted", { ...strict, ...change })).toEqual([message]);
  });

  it("less of Windows, and of pods with users of their own; each release as it was", () => {
    expect(judge("restricted", { ...inContainer({ runAsNonRoot: true }), os: { name: "windows" } })).toEqual([]);
    expect(
      judge("restricted", {
        ...strict,
        securityContext: { ...strict.securityContext, runAsUser: 0 },
        hostUsers: false,
      }),
    ).toEqual([]);
    const old = { ...strict, securityContext: { ...strict.securityContext, runAsUser: 0 } };
    expect(judge("restricted", old, "v1.22")).toEqual([]);
    const sysctl = {
      containers: [container],
      securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] },
    };
    expect([judge("baseline", sysctl, "v1.31").length, judge("baseline", sysctl, "v1.32").length]).toEqual([1, 0]);
  });
});

describe("a namespace's labels", () => {
  it("who enforces is warned too; what is no level is strict where enforced", () => {
    const of = (labels: Record<string, string>) =>
      policyOf(Object.fromEntries(Object.entries(labels).map(([name, value]) => [LABEL + name, value])));
    expect(of({})).toMatchObject({ enforce: { level: "privileged" }, warn: { level: "privileged" } });
    expect(of({ enforce: "baseline", "enforce-version": "v1.30" }).warn).toEqual({
      level: "baseline",
      version: "v1.30",
    });
    expect(of({ enforce: "restricted", warn: "baseline" }).warn.level).toBe("baseline");
    expect(of({ enforce: "strict" }).enforce.level).toBe("restricted");
    expect([...labelProblems({ [`${LABEL}warn-version`]: "1.2" })]).toMatchObject([
      { field: `metadata.labels[${LABEL}warn-version]` },
    ]);
  });

  it("are refused when they say nothing known, and tell of pods that are there already", () => {
    const { ok, send } = session();
    const path = "/api/v1/namespaces";
    const bad = send("POST", path, { metadata: { name: "bad", labels: { [`${LABEL}enforce`]: "strict" } } });
    expect(bad.body.details.causes).toEqual([
      {
        reason: "FieldValueInvalid",
        field: `metadata.labels[${LABEL}enforce]`,
        message: 'Invalid value: "strict": must be one of privileged, baseline, restricted',
      },
    ]);
    ok("POST", `${ns}/pods`, { metadata: { name: "a" }, spec: { containers: [container] } });
    ok("POST", `${ns}/pods`, { metadata: { name: "b" }, spec: { containers: [container] } });
    const labelled = send("PATCH", `${path}/default`, { metadata: { labels: { [`${LABEL}enforce`]: "restricted" } } });
    expect(labelled.code).toBe(200);
    expect(labelled.warnings).toEqual([
      'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
      "a (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile",
    ]);
    // A pod that is there may be written, as long as it runs the same programs.
    const patch = (body: object) => send("PATCH", `${ns}/pods/a`, body, "application/strategic-merge-patch+json");
    expect(patch({ metadata: { labels: { x: "y" } } }).code).toBe(200);
    expect(patch({ spec: { containers: [{ name: "c", image: "other" }] } }).body.message).toContain(
      'pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    );
  });
});
