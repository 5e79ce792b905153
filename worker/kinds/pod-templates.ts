/** Where kinds other than Pod keep the pods that they will make, by resource. */
export const POD_TEMPLATES: Readonly<Record<string, string>> = {
  podtemplates: "template",
  replicationcontrollers: "spec.template",
  "cronjobs.batch": "spec.jobTemplate.spec.template",
  "daemonsets.apps": "spec.template",
  "deployments.apps": "spec.template",
  "jobs.batch": "spec.template",
  "replicasets.apps": "spec.template",
  "statefulsets.apps": "spec.template",
};
