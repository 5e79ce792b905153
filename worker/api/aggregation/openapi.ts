/** Where the OpenAPI documents of extension servers are. The documents themselves are theirs to answer. */
import type { Extension } from "../../kinds/apiregistration/api-service.ts";
import type { Extensions } from "./aggregation.ts";
import { Kept, question } from "./kept.ts";

type Location = { serverRelativeURL: string };

export class ExtensionOpenApi {
  readonly #locations: Kept<Location | undefined>;

  constructor(extensions: Extensions, now: () => number) {
    this.#locations = new Kept(extensions, now, ask);
  }

  /** By path, as the index of version 3 has it: `apis/GROUP/VERSION`. */
  async locations(extensions: readonly Extension[]): Promise<Record<string, Location>> {
    const found = await Promise.all(
      extensions.map(async (extension): Promise<[string, Location][]> => {
        const location = await this.#locations.get(extension);
        return location ? [[pathOf(extension), location]] : [];
      }),
    );
    return Object.fromEntries(found.flat());
  }
}

const pathOf = ({ group, version }: Extension) => `apis/${group}/${version}`;

async function ask(extensions: Extensions, extension: Extension): Promise<Location | undefined> {
  const { status, text } = await extensions.get(extension, question("/openapi/v3", "application/json"));
  if (status !== 200) return undefined;
  return (JSON.parse(text) as { paths?: Record<string, Location> }).paths?.[pathOf(extension)];
}
