/** What Kubernetes says of its definitions and their fields: half a megabyte that only OpenAPI asks for. */
import { base64Decode } from "@bufbuild/protobuf/wire";
import { compressedTexts } from "../generated/descriptions.ts";

type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>;

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

let texts: Texts | undefined;
let loading: Promise<void> | undefined;

/** Inflates them where that was not done yet; before, nothing has a description. */
export function loadDescriptions(): Promise<void> {
  loading ??= inflate();
  return loading;
}

async function inflate(): Promise<void> {
  const bytes = base64Decode(compressedTexts);
  const stream = new Response(bytes).body?.pipeThrough(new DecompressionStream("deflate-raw"));
  texts = JSON.parse(await new Response(stream).text()) as Texts;
}

/** Of a definition, or of one of its fields. */
export const descriptionOf = (definition: string | undefined, field = ""): string | undefined =>
  texts?.[definition ?? ""]?.[field];

/** Of the fields that all objects have. */
export const objectDescription = (field: "apiVersion" | "kind" | "metadata"): string | undefined =>
  field === "metadata"
    ? descriptionOf("io.k8s.api.apps.v1.Deployment", field)
    : descriptionOf(`${META}DeleteOptions`, field);
