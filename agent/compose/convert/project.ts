/** A compose project as Kubernetes objects. */
import type { Disk, Project } from "../load/load.ts";
import type { Problem, Value } from "../tree.ts";
import { checkAttributes, checkNetworks } from "./attributes.ts";
import { fileObjects } from "./files.ts";
import { hasHealthcheck } from "./health.ts";
import { type Context, type KubernetesObject, labelsOf, selectorOf } from "./model.ts";
import { networkObjects } from "./network.ts";
import { podOf } from "./pod.ts";
import { portsOf } from "./ports.ts";
import { digest, objectName } from "./values.ts";
import { claimsOf } from "./volumes.ts";
import { workloadOf } from "./workload.ts";

export type Condition = "service_started" | "service_healthy" | "service_completed_successfully";

export type ServicePlan = {
  name: string;
  /** Services of the same plan that have to be so far first; without one that is not required it comes, too. */
  needs: readonly { service: string; condition: Condition; isRequired: boolean }[];
  /** The last one runs its pods. */
  objects: readonly KubernetesObject[];
};

export type Plan = {
  project: string;
  namespace: string;
  /** Of all services: a namespace, ConfigMaps, Secrets, claims. */
  shared: readonly KubernetesObject[];
  /** In an order in which each comes after what it needs. */
  services: readonly ServicePlan[];
  problems: readonly Problem[];
};

const CONDITIONS: readonly string[] = ["service_started", "service_healthy", "service_completed_successfully"];

/** Without a namespace the project has one of its own, by its name. */
export function convertProject(project: Project, disk: Disk, namespace?: string): Plan {
  checkNetworks(project.networks);
  for (const model of project.models.values())
    model.refuse("there is nothing here that runs models", "run one as a service");
  const into = namespace ?? project.name;
  const labels = labelsOf(project.name);
  const shared = [...fileObjects({ project, disk }), ...claimsOf(project)].map((object) => inNamespace(object, into));
  const contexts = [...project.services].map(([service, value]) => contextOf(project, disk, service, value, into));
  const needs = new Map(contexts.map(({ service, value }) => [service, needsOf(project, value)]));
  const awaited = new Set(
    [...needs.values()]
      .flat()
      .filter(({ condition }) => condition === "service_completed_successfully")
      .map(({ service }) => service),
  );
  const plans = contexts.map((context) => {
    const ports = portsOf(context.value);
    checkAttributes(context.value);
    checkName(context, contexts);
    const pod = podOf(context, ports, shared);
    const workload = workloadOf(context, pod, awaited.has(context.service));
    const objects = [...pod.objects, ...networkObjects(context, ports), workload];
    return { name: context.service, needs: needs.get(context.service) ?? [], objects };
  });
  const made: Plan = {
    project: project.name,
    namespace: into,
    shared: [
      ...(namespace === undefined ? [{ apiVersion: "v1", kind: "Namespace", metadata: { name: into, labels } }] : []),
      ...shared,
    ],
    services: ordered(withRestarts(plans, project), project).filter(({ name }) =>
      project.services.get(name)?.get("image"),
    ),
    problems: project.problems,
  };
  checkDuplicates(made, project);
  return made;
}

export const objectsOf = ({ shared, services }: Plan): KubernetesObject[] => [
  ...shared,
  ...services.flatMap(({ objects }) => objects),
];

function inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function contextOf(project: Project, disk: Disk, service: string, value: Value, namespace: string): Context {
  const name = objectName(service);
  return {
    project,
    disk,
    service,
    name,
    value,
    object: (apiVersion, kind, called, rest) => ({
      apiVersion,
      kind,
      metadata: { name: called, namespace, labels: labelsOf(project.name, name) },
      ...rest,
    }),
  };
}

/** DNS has no underscores: who is called by such a name has to be called otherwise. */
function checkName({ service, name, value, project }: Context, all: readonly Context[]): void {
  if (!/^[a-z]/.test(name)) return value.invalid("a service's name begins with a letter here", "rename it");
  if (name === service) return;
  const word = new RegExp(`(?<![\\w.-])${service.replace(/[.]/g, "\\.")}(?![\\w-])`);
  const mentions = all.flatMap((context) =>
    ["environment", "command", "entrypoint"].flatMap((part) => {
      const told = context.value.get(part);
      const values = told?.isMap
        ? told.entries().map(([, inner]) => inner)
        : told?.isList
          ? told.items()
          : told
            ? [told]
            : [];
      return values.filter((inner) => word.test(inner.text() ?? ""));
    }),
  );
  for (const mention of mentions)
    if (project.services.has(service))
      mention.refuse(`${service} is no name in DNS`, `write ${name}, as the service is called here`);
  value.note(`${service} is no name in DNS`, `others reach it as ${name}`);
}

function needsOf(project: Project, service: Value): ServicePlan["needs"] {
  const linked = (service.get("links")?.texts() ?? []).map((link) => link.split(":")[0] ?? "");
  const needed = (service.get("depends_on")?.entries() ?? []).flatMap(([name, told]) => {
    told.only(["condition", "restart", "required"]);
    const condition = told.get("condition")?.text() ?? "service_started";
    const dependency = project.services.get(name);
    const isRequired = told.get("required")?.flag() !== false;
    if (!dependency) {
      if (isRequired)
        told.invalid(
          project.inactive.has(name) ? `${name} is of a profile that is not wanted` : `there is no service ${name}`,
        );
      return [];
    }
    if (!CONDITIONS.includes(condition))
      return told.get("condition")?.invalid(`is none of ${CONDITIONS.join(", ")}`) ?? [];
    if (condition === "service_healthy" && !hasHealthcheck(dependency))
      told.note(`${name} has no healthcheck of its own`, "it counts as healthy as soon as it runs");
    return [{ service: name, condition: condition as Condition, isRequired }];
  });
  const isNew = (name: string) => project.services.has(name) && !needed.some(({ service }) => service === name);
  return [...needed, ...linked.filter(isNew).map(linkedTo)];
}

const linkedTo = (service: string) => ({ service, condition: "service_started" as const, isRequired: true });

/** With `restart: true` a service begins anew when what it depends on does. */
function withRestarts(plans: readonly ServicePlan[], project: Project): ServicePlan[] {
  return plans.map((plan) => {
    const with_ = plan.needs.filter(({ service }) =>
      project.services.get(plan.name)?.get("depends_on")?.get(service)?.get("restart")?.flag(),
    );
    const workload = plan.objects.at(-1);
    if (with_.length === 0 || !workload) return plan;
    const others = with_.map(({ service }) => plans.find(({ name }) => name === service)?.objects.at(-1));
    const spec = workload.spec as { template: { metadata: { annotations?: Record<string, string> } } };
    const metadata = spec.template.metadata;
    const annotations = { ...metadata.annotations, "skerry.dev/dependencies": digest(others) };
    const changed = {
      ...workload,
      spec: { ...spec, template: { ...spec.template, metadata: { ...metadata, annotations } } },
    };
    return { ...plan, objects: [...plan.objects.slice(0, -1), changed] };
  });
}

function ordered(plans: readonly ServicePlan[], project: Project): ServicePlan[] {
  const done: ServicePlan[] = [];
  const visit = (plan: ServicePlan, way: readonly string[]): void => {
    if (done.includes(plan)) return;
    if (way.includes(plan.name))
      return project.services
        .get(plan.name)
        ?.get("depends_on")
        ?.invalid(`runs in a circle: ${[...way, plan.name].join(", ")}`);
    for (const { service } of plan.needs) {
      const needed = plans.find(({ name }) => name === service);
      if (needed) visit(needed, [...way, plan.name]);
    }
    done.push(plan);
  };
  for (const plan of plans) visit(plan, []);
  return done;
}

function checkDuplicates(plan: Plan, project: Project): void {
  const seen = new Map<string, KubernetesObject>();
  for (const { name, objects } of [{ name: "", objects: plan.shared }, ...plan.services])
    for (const object of objects) {
      const key = `${object.kind} ${object.metadata.name}`;
      const before = seen.get(key);
      if (before && digest(before.spec ?? before.data) !== digest(object.spec ?? object.data))
        (project.services.get(name) ?? [...project.services.values()][0])?.invalid(
          `two things would be the ${key}`,
          "rename one",
        );
      seen.set(key, object);
    }
}

/** What tells the project's objects from all others. */
export const projectSelector = (project: string): string =>
  Object.entries(labelsOf(project))
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

export const serviceSelector = (project: string, service: string): string =>
  Object.entries(selectorOf(project, objectName(service)))
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
