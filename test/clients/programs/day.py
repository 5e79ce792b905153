"""A day with the Python client, in the namespace that is the first argument. Says what it sees."""

import json
import sys
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

namespace = sys.argv[1]
config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()
custom = client.CustomObjectsApi()


def say(text):
    print(text, flush=True)


def deployment():
    container = client.V1Container(
        name="c", image="busybox:test", command=["sh", "-c", "echo started; sleep 1000"]
    )
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1DeploymentSpec(
            replicas=1,
            selector=client.V1LabelSelector(match_labels={"app": "web"}),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels={"app": "web"}),
                spec=client.V1PodSpec(containers=[container], termination_grace_period_seconds=0),
            ),
        ),
    )


def config_map(name, data, labels=None):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)


made = apps.create_namespaced_deployment(namespace, deployment())
say(f"created {made.metadata.name} with {made.spec.replicas} replicas")

first = None
for event in watch.Watch().stream(
    core.list_namespaced_pod, namespace, label_selector="app=web", timeout_seconds=600
):
    first = first or event["type"]
    ready = [c for c in event["object"].status.conditions or [] if c.type == "Ready"]
    if ready and ready[0].status == "True":
        break
say(f"ready after {first.title()}")

pod = core.list_namespaced_pod(namespace, label_selector="app=web").items[0].metadata.name
log = ""  # a container that runs may not have said anything yet
while log == "":
    log = core.read_namespaced_pod_log(pod, namespace).strip()
say("log: " + log)
out = stream(
    core.connect_get_namespaced_pod_exec,
    pod,
    namespace,
    command=["echo", "hello from inside"],
    stdout=True,
    stderr=True,
    stdin=False,
    tty=False,
)
say("exec: " + out.strip())

scale = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
say(f"scaled to {scale.spec.replicas}")

core.create_namespaced_config_map(namespace, config_map("shared", {"a": "1", "color": "red"}))
changed = core.patch_namespaced_config_map("shared", namespace, {"data": {"color": "blue"}})
say(f"patched: {changed.data['color']}, and kept a={changed.data['a']}")

configmaps = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
applied = configmaps.server_side_apply(
    name="shared",
    namespace=namespace,
    body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": {"color": "green"}},
    field_manager="day",
    force_conflicts=True,
)
by = [entry.manager for entry in applied.metadata.managedFields if entry.operation == "Apply"]
say(f"applied by {by[0]}: {applied.data.color}")


def refusal(call):
    try:
        call()
    except ApiException as error:
        reason = json.loads(error.body)["reason"]
        return f"{error.status} {reason}"
    return "none"


stale = core.read_namespaced_config_map("shared", namespace)
core.patch_namespaced_config_map("shared", namespace, {"data": {"b": "2"}})
say("conflict: " + refusal(lambda: core.replace_namespaced_config_map("shared", namespace, stale)))

at = ("day.example.com", "v1", namespace, "gadgets")
gadget = {"apiVersion": "day.example.com/v1", "kind": "Gadget", "metadata": {"name": "one"}, "spec": {"size": 3}}
one = custom.create_namespaced_custom_object(*at, gadget)
two = custom.patch_namespaced_custom_object(*at, "one", {"spec": {"size": 4}})
wrong = refusal(lambda: custom.patch_namespaced_custom_object(*at, "one", {"spec": {"size": 10}}))
say(f"custom: {one['spec']['size']}, then {two['spec']['size']}; refused: {wrong}")

for number in range(7):
    core.create_namespaced_config_map(namespace, config_map(f"page-{number}", {}, {"paged": "yes"}))
count = pages = 0
token = None
while pages == 0 or token:
    page = core.list_namespaced_config_map(namespace, label_selector="paged=yes", limit=3, _continue=token)
    token = page.metadata._continue
    count += len(page.items)
    pages += 1
say(f"paged: {count} in {pages} pages")

since = core.list_namespaced_config_map(namespace).metadata.resource_version


def late():
    core.create_namespaced_config_map(namespace, config_map("late", {}))
    core.patch_namespaced_config_map("late", namespace, {"data": {"a": "1"}})
    core.delete_namespaced_config_map("late", namespace)


threading.Timer(0.2, late).start()
seen = []
for event in watch.Watch().stream(
    core.list_namespaced_config_map, namespace, resource_version=since, timeout_seconds=600
):
    seen.append(f"{event['type']} {event['object'].metadata.name}")
    if event["type"] == "DELETED":
        break
say("watched: " + ", ".join(seen))

apps.delete_namespaced_deployment("web", namespace)
say("gone: " + refusal(lambda: apps.read_namespaced_deployment("web", namespace)))
