/** Resources whose objects count `metadata.generation`, by group. */
const counted: Readonly<Record<string, readonly string[]>> = {
  "": ["pods", "podtemplates", "replicationcontrollers"],
  "admissionregistration.k8s.io": [
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
  ],
  "apiextensions.k8s.io": ["customresourcedefinitions"],
  apps: ["daemonsets", "deployments", "replicasets", "statefulsets"],
  batch: ["cronjobs", "jobs"],
  "discovery.k8s.io": ["endpointslices"],
  "flowcontrol.apiserver.k8s.io": ["flowschemas", "prioritylevelconfigurations"],
  "networking.k8s.io": ["ingressclasses", "ingresses", "networkpolicies"],
  policy: ["poddisruptionbudgets"],
  "resource.k8s.io": ["deviceclasses", "resourceslices"],
  "scheduling.k8s.io": ["priorityclasses"],
};

export const countsGeneration = (group: string, resource: string): boolean =>
  counted[group]?.includes(resource) ?? false;
