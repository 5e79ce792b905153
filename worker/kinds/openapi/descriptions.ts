/**
 * What `kubectl explain` says of the fields that all objects share. Fields of one kind alone are described nowhere yet.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/
 */
export const OBJECT = {
  apiVersion: "APIVersion defines the group and version of the schema that this object is written in.",
  kind: "Kind names the type of this object, in CamelCase.",
  metadata: "Standard object's metadata: its names and ids, labels and annotations, owners and finalizers.",
};

const meta = (type: string) => `io.k8s.apimachinery.pkg.apis.meta.v1.${type}`;

/** Field → description, by definition. */
export const DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [meta("ObjectMeta")]: {
    annotations: "Annotations are notes of any kind for tools and people. Nothing is selected by them.",
    creationTimestamp: "CreationTimestamp is a timestamp that the server sets when it stores the object first, in UTC.",
    deletionGracePeriodSeconds: "How long the object has, in seconds, to end in order once its deletion was asked for.",
    deletionTimestamp:
      "DeletionTimestamp is the time at which the object is to be gone at the latest. With it, deletion has begun.",
    finalizers: "Who must let go of the object before it can be removed; each takes its own entry off the list.",
    generateName: "GenerateName begins a name that the server completes, where none was given.",
    generation: "A number that grows with every change of what is wanted of the object.",
    labels: "Labels are names with values that selectors find the object by.",
    managedFields: "Who set which field, by way of what: what server-side apply settles conflicts with.",
    name: "Name is unique among the objects of the kind in one namespace. It cannot be changed.",
    namespace: "Namespace is the room that the name is unique in. Objects of the cluster as a whole have none.",
    ownerReferences: "Objects that this one exists for. When all of them are gone, it goes too.",
    resourceVersion:
      "The version of the whole object, for watches and for updates that must not overwrite another's. It can only be compared.",
    selfLink: "No longer filled in.",
    uid: "UID tells this object from all others of all times, those of the same name among them.",
  },
  [meta("OwnerReference")]: {
    apiVersion: "The owner's API version.",
    blockOwnerDeletion: "Whether the owner, deleted in the foreground, waits until this object is gone.",
    controller: "Whether the owner is the one that manages this object.",
    kind: "The owner's kind.",
    name: "The owner's name. It is in the same namespace, or in none.",
    uid: "The owner's UID.",
  },
  [meta("ManagedFieldsEntry")]: {
    apiVersion: "The version that the fields are named in.",
    fieldsType: "The format of the fields: FieldsV1.",
    fieldsV1: "The fields, as a tree.",
    manager: "Who set them.",
    operation: "Apply or Update.",
    subresource: "The endpoint they were set by, where it was not the object's own.",
    time: "When the entry was last changed.",
  },
  [meta("ListMeta")]: {
    continue: "What to ask for the next page with. Empty on the last.",
    remainingItemCount: "How many items follow this page, where that is known.",
    resourceVersion: "The version that the list is true of; a watch may begin at it.",
    selfLink: "No longer filled in.",
  },
};
