/** Which EndpointSlices are a Service's: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ownership */
export const SERVICE_NAME = "kubernetes.io/service-name";

type Labelled = {
  readonly metadata?: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
};

/** `namespace/name` of the Service. */
export const serviceKeyOf = ({ metadata }: Labelled): string =>
  `${metadata?.namespace}/${metadata?.labels?.[SERVICE_NAME]}`;

/** Of a namespace's slices those of one Service. */
export const slicesOf = <S extends Labelled>(slices: readonly S[], service: string): S[] =>
  slices.filter(({ metadata }) => metadata?.labels?.[SERVICE_NAME] === service);
