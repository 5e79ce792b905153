import { describe, expect, test } from "vitest";
import type { CoreV1PodSecurityContext, CoreV1SecurityContext } from "../../worker/kinds/generated/types.ts";
import { SpecAnnotation } from "../node/oci-runtime.ts";
import { securityFlags } from "./security.ts";
import { somePod } from "./testing.ts";

type Node = {
  seccompDefault?: boolean;
  hasAppArmor?: boolean;
  hasSELinux?: boolean;
  user?: string;
  annotations?: Record<string, string>;
};

/** Flags as one text. */
function flags(own: CoreV1SecurityContext, whole: CoreV1PodSecurityContext = {}, node: Node = {}): string {
  const { seccompDefault = false, hasAppArmor = false, hasSELinux = false, user = "", annotations = {} } = node;
  const container = { name: "app", image: "app:1", securityContext: own };
  const pod = somePod({ containers: [container], securityContext: whole }, { annotations });
  const settings = { seccompDefault, allowedUnsafeSysctls: [], runtimeHandlers: {} };
  const image = { Id: "sha256:1", Config: { User: user } };
  return securityFlags(pod, container, { image, security: { settings, hasAppArmor, hasSELinux } }).join(" ");
}

const UNCONFINED = "--security-opt seccomp=unconfined";
const { group, onlyGroups } = SpecAnnotation;

describe("users and groups", () => {
  test.each([
    [{}, {}, "", ""],
    [{}, {}, "app", ""],
    // An image's group does not come through a kubelet.
    [{}, {}, "1234:5678", "--user 1234 "],
    [{ runAsUser: 0 }, { runAsUser: 5 }, "app", "--user 0 "],
    [{ runAsUser: 5, runAsGroup: 6 }, {}, "", `--user 5 --annotation ${group}=6 `],
    [{ runAsGroup: 6 }, {}, "app:x", `--user app --annotation ${group}=6 `],
    [{ runAsGroup: 6 }, {}, "", `--user 0 --annotation ${group}=6 `],
    [{}, { fsGroup: 1, supplementalGroups: [2, 1] }, "", "--group-add 1 --group-add 2 "],
    [
      {},
      { supplementalGroups: [2], supplementalGroupsPolicy: "Strict" },
      "",
      `--group-add 2 --annotation ${onlyGroups}=2 `,
    ],
    [
      { runAsGroup: 6 },
      { supplementalGroups: [6, 7], supplementalGroupsPolicy: "Strict" },
      "app",
      "--user app:6 --group-add 7 ",
    ],
  ])("%j in %j of an image's %j", (own, whole, user, expected) => {
    expect(flags(own, whole, { user })).toBe(`${expected}${UNCONFINED}`);
  });
});

describe("capabilities", () => {
  test.each([
    [{ add: ["NET_ADMIN", "net_admin"], drop: ["CAP_CHOWN"] }, "--cap-add NET_ADMIN --cap-drop CHOWN "],
    [{ add: ["KILL", "CHOWN"], drop: ["all", "KILL"] }, "--cap-drop ALL --cap-add CHOWN "],
    [{ add: ["ALL", "KILL"], drop: ["CHOWN"] }, "--cap-add ALL --cap-drop CHOWN "],
    [{ add: ["ALL"], drop: ["ALL"] }, "--cap-drop ALL "],
    [{ add: ["KILL"], drop: ["KILL"] }, "--cap-drop KILL "],
  ])("%j", (capabilities, expected) => {
    expect(flags({ capabilities })).toBe(`${expected}${UNCONFINED}`);
  });
});

describe("seccomp", () => {
  const profile = (type: string) => ({ seccompProfile: { type } });

  test("is the container's, else the pod's, else the node's", () => {
    expect(flags({})).toBe(UNCONFINED);
    expect(flags({}, {}, { seccompDefault: true })).toBe("--security-opt seccomp=builtin");
    expect(flags({}, profile("RuntimeDefault"))).toBe("--security-opt seccomp=builtin");
    expect(flags(profile("Unconfined"), profile("RuntimeDefault"), { seccompDefault: true })).toBe(UNCONFINED);
  });

  test("is nothing for a privileged container", () => {
    expect(flags({ privileged: true, ...profile("RuntimeDefault") })).toBe(`--privileged ${UNCONFINED}`);
  });

  test("of the node needs a name, and a file", () => {
    expect(() => flags(profile("Localhost"))).toThrow(
      "localhostProfile must be set if seccompProfile type is Localhost.",
    );
    const localhostProfile = "no/such.json";
    expect(() => flags({ seccompProfile: { type: "Localhost", localhostProfile } })).toThrow(
      'failed to create containerd container: cannot load seccomp profile "/var/lib/kubelet/seccomp/no/such.json": open',
    );
  });
});

test("AppArmor, where the machine has it", () => {
  const node = { hasAppArmor: true };
  const profile = (type: string, localhostProfile?: string) => ({ appArmorProfile: { type, localhostProfile } });
  expect(flags({}, {}, node)).toBe(UNCONFINED);
  expect(flags(profile("RuntimeDefault"), {}, node)).toBe(UNCONFINED);
  expect(() => flags(profile("Localhost", "mine"), {}, node)).toThrow("apparmor profile not found mine");
  expect(flags({}, profile("Unconfined"), node)).toBe(`${UNCONFINED} --security-opt apparmor=unconfined`);
  const annotations = { "container.apparmor.security.beta.kubernetes.io/app": "localhost/old" };
  expect(() => flags({}, profile("Unconfined"), { ...node, annotations })).toThrow("apparmor profile not found old");
});

test("SELinux labels are passed on where the kernel has it, those of a container before the pod's", () => {
  const [own, whole] = [{ seLinuxOptions: { level: "s0:c1,c2" } }, { seLinuxOptions: { type: "x_t", level: "s0" } }];
  const labels = (process: string, file: string) =>
    `${UNCONFINED} --annotation skerry.dev/process-label=${process} --annotation skerry.dev/mount-label=${file}`;
  const node = { hasSELinux: true };
  expect(flags(own, whole, node)).toBe(
    labels("system_u:system_r:x_t:s0:c1,c2", "system_u:object_r:container_file_t:s0:c1,c2"),
  );
  expect(flags({}, whole, node)).toBe(labels("system_u:system_r:x_t:s0", "system_u:object_r:container_file_t:s0"));
  expect(flags({ ...own, privileged: true }, whole, node)).toBe(`--privileged ${UNCONFINED}`);
  expect(flags({}, {}, node)).toBe(UNCONFINED);
  expect(flags(own, whole)).toBe(UNCONFINED);
});
