import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { isBuiltIn } from "../engine/stored.ts";
import { type Admission, refusal } from "./admission.ts";

/** Nothing is made of a kind whose definition is on its way out. */
export const terminatingDefinition: Admission = {
  name: "TerminatingDefinition",
  admits(operation) {
    const { kind, action, core } = operation;
    if (action !== "CREATE" || isBuiltIn(kind)) return;
    const definition = core.view.get(CustomResourceDefinition, "", kind.groupResource);
    const isGoing = definition?.status?.conditions?.some(
      ({ type, status }) => type === "Terminating" && status === "True",
    );
    if (isGoing) throw refusal(operation, "create not allowed while custom resource definition is terminating");
  },
};
