import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appArmorProfileOf, appArmorRejection, isLoaded } from "./app-armor.ts";
import { somePod } from "./testing.ts";

const BETA = "container.apparmor.security.beta.kubernetes.io/";
const whole = (type: string) => ({ securityContext: { appArmorProfile: { type } } });
const own = (type: string) => ({
  containers: [{ name: "app", image: "i", securityContext: whole(type).securityContext }],
});
const annotated = (value: string) => somePod({}, { annotations: { [`${BETA}app`]: value } });

test("a machine without AppArmor takes no pod that relies on it", () => {
  const refused = { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" };
  for (const pod of [somePod(whole("RuntimeDefault")), somePod(own("Localhost")), annotated("runtime/default")]) {
    expect(appArmorRejection(pod, false)).toEqual(refused);
    expect(appArmorRejection(pod, true)).toBeUndefined();
  }
  for (const pod of [somePod(), somePod(whole("Unconfined")), somePod(own("Unconfined")), annotated("unconfined")])
    expect(appArmorRejection(pod, false)).toBeUndefined();
});

test("a container's own profile goes before its annotation, and that before the pod's", () => {
  const [container = { name: "" }] = own("Unconfined").containers;
  const plain = { name: "app" };
  const pod = { ...annotated("localhost/mine"), spec: { containers: [], ...whole("RuntimeDefault") } };
  expect(appArmorProfileOf(pod, container)).toEqual({ type: "Unconfined" });
  expect(appArmorProfileOf(pod, plain)).toEqual({ type: "Localhost", localhostProfile: "mine" });
  expect(appArmorProfileOf(pod, { name: "other" })).toEqual({ type: "RuntimeDefault" });
  expect(appArmorProfileOf(somePod(), plain)).toBeUndefined();
});

test("a profile is loaded when the kernel lists its whole name", () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-apparmor-"));
  const list = join(folder, "profiles");
  expect(isLoaded("mine", list)).toBe(false);
  writeFileSync(list, "nerdctl-default (enforce)\nmine.too (complain)\n");
  expect(isLoaded("mine.too", list)).toBe(true);
  expect(isLoaded("mine", list)).toBe(false);
  rmSync(folder, { recursive: true });
});
