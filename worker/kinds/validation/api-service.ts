import { dns1035LabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { invalidValue, required } from "../../lib/status.ts";
import type { Schemas } from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/ */
const MAX_GROUP_PRIORITY = 20_000;
const MAX_VERSION_PRIORITY = 1000;

type APIService = Schemas["io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"];

export function* validateApiService({ metadata, spec }: APIService): Problems {
  const { group = "", version = "", service, caBundle, insecureSkipTLSVerify } = spec ?? {};
  const name = `${version}.${group}`;
  if (metadata?.name !== name)
    yield invalidValue(
      "metadata.name",
      metadata?.name ?? "",
      `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`,
    );
  if (group === "" && version !== "v1")
    yield required("spec.group", "only v1 may have an empty group and it better be legacy kube");
  if (group !== "") yield* invalidFor("spec.group", group, dnsSubdomainProblems(group));
  yield* invalidFor("spec.version", version, dns1035LabelProblems(version));
  yield* priority("groupPriorityMinimum", spec?.groupPriorityMinimum ?? 0, MAX_GROUP_PRIORITY);
  yield* priority("versionPriority", spec?.versionPriority ?? 0, MAX_VERSION_PRIORITY);
  if (!service) {
    if (caBundle)
      yield invalidValue(
        "spec.caBundle",
        `${atob(caBundle).length} bytes`,
        "local APIServices may not have a caBundle",
      );
    if (insecureSkipTLSVerify)
      yield invalidValue("spec.insecureSkipTLSVerify", true, "local APIServices may not have insecureSkipTLSVerify");
    return;
  }
  if (!service.namespace) yield required("spec.service.namespace");
  if (!service.name) yield required("spec.service.name");
  const port = service.port;
  if (port !== undefined && (port < 1 || port > 65535))
    yield invalidValue("spec.service.port", port, "port is not valid: must be between 1 and 65535, inclusive");
  if (insecureSkipTLSVerify && caBundle)
    yield invalidValue("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present");
}

function* priority(field: string, value: number, most: number): Problems {
  if (value <= 0 || value > most) yield invalidValue(`spec.${field}`, value, `must be positive and less than ${most}`);
}
