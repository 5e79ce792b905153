import type { InspectedImage, Runtime } from "../runtime.ts";

/** The images of a node. The runtime is asked for them only after something has changed. */
export class ImageList {
  readonly #runtime: Pick<Runtime, "listImages">;
  #known: Promise<readonly InspectedImage[]> | undefined;

  constructor(runtime: Pick<Runtime, "listImages">) {
    this.#runtime = runtime;
  }

  /** Images came or went, or may have. */
  outdate(): void {
    this.#known = undefined;
  }

  all(): Promise<readonly InspectedImage[]> {
    const asked = this.#known ?? this.#runtime.listImages();
    this.#known = asked;
    asked.catch(() => {
      if (this.#known === asked) this.#known = undefined;
    });
    return asked;
  }
}
