import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { EnsuredImage } from "../images/images.ts";
import { canonicalName } from "../images/reference.ts";
import type { VolumeImage } from "../volumes/manager.ts";

type ImageVolume = { volume: string; reference: string; pullPolicy: string | undefined };

/** The images that a container mounts. https://kubernetes.io/docs/concepts/storage/volumes/#image */
export function imageVolumes({ spec }: CoreV1Pod, container: CoreV1Container): ImageVolume[] {
  const mounted = new Set(container.volumeMounts?.map(({ name }) => name));
  return (spec.volumes ?? []).flatMap(({ name, image }) =>
    image && mounted.has(name)
      ? [{ volume: name, reference: image.reference ?? "", pullPolicy: image.pullPolicy }]
      : [],
  );
}

/** As volumes want to know of an image. */
export const volumeImage = (reference: string, { Id: id }: Pick<EnsuredImage, "Id">): VolumeImage => ({
  id,
  name: canonicalName(reference),
});
