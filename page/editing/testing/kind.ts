import type { KindSchema, Schema } from "../schema.ts";

const text: Schema = { type: "string" };
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** A kind with something of each form that the API's own have. */
export const KIND: KindSchema = {
  root: ref("Thing"),
  all: {
    Thing: {
      type: "object",
      properties: {
        apiVersion: text,
        kind: text,
        metadata: { allOf: [ref("Meta")], default: {} },
        spec: { allOf: [ref("Spec")], default: {} },
        status: { type: "object" },
      },
    },
    Meta: {
      type: "object",
      properties: { name: text, labels: { type: "object", additionalProperties: text } },
    },
    Spec: {
      type: "object",
      required: ["containers"],
      properties: {
        replicas: { type: "integer", format: "int32" },
        paused: { type: "boolean" },
        until: { type: "string", format: "date-time" },
        modes: { type: "array", items: { type: "string", enum: ["Once", "Many"] }, "x-kubernetes-list-type": "set" },
        args: { type: "array", items: text, "x-kubernetes-list-type": "atomic" },
        containers: {
          type: "array",
          items: { allOf: [ref("Container")], default: {} },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
        },
      },
    },
    Container: {
      type: "object",
      required: ["name"],
      properties: {
        name: text,
        image: text,
        imagePullPolicy: { type: "string", enum: ["Always", "IfNotPresent", "Never"] },
        limit: { oneOf: [{ type: "string" }, { type: "number" }] },
        ports: {
          type: "array",
          items: { allOf: [ref("Port")] },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
      },
    },
    Port: {
      type: "object",
      required: ["port"],
      properties: {
        port: { type: "integer" },
        protocol: { type: "string", default: "TCP", enum: ["TCP", "UDP"] },
        target: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
      },
    },
  },
};
