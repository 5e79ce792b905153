/**
 * Of the Gateway API what is read here. Its kinds are custom resources, whose definitions users bring:
 * https://gateway-api.sigs.k8s.io/reference/spec/
 */
import type { KubeObject } from "../../lib/object.ts";
import type { LabelSelector } from "../../lib/selectors.ts";

export const GROUP = "gateway.networking.k8s.io";
/** The controller that a GatewayClass of ours names. */
export const CONTROLLER = "skerry.dev/gateway";
/** The class that is made where there is none yet. */
export const CLASS_NAME = "skerry";

export const GATEWAY_CLASSES = `gatewayclasses.${GROUP}`;
export const GATEWAYS = `gateways.${GROUP}`;
export const HTTP_ROUTES = `httproutes.${GROUP}`;
export const GRPC_ROUTES = `grpcroutes.${GROUP}`;
export const REFERENCE_GRANTS = `referencegrants.${GROUP}`;

/** Of what resource nodes are told of all gateways, and under which name. */
export const TABLES = "gatewaytables";
export const TABLES_NAME = "all";

export type Condition = {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  observedGeneration?: number;
  lastTransitionTime?: string;
};

export type Reference = { group?: string; kind?: string; namespace?: string; name: string };
export type ParentReference = Reference & { sectionName?: string; port?: number };
export type RouteKind = { group?: string; kind: string };

export type GatewayClass = KubeObject & {
  spec?: { controllerName?: string };
  status?: { conditions?: Condition[]; supportedFeatures?: { name: string }[] };
};

export type Listener = {
  name: string;
  hostname?: string;
  port: number;
  protocol: string;
  tls?: { mode?: string; certificateRefs?: Reference[]; frontendValidation?: object };
  allowedRoutes?: { namespaces?: { from?: string; selector?: LabelSelector }; kinds?: RouteKind[] };
};

export type ListenerStatus = {
  name: string;
  supportedKinds: RouteKind[];
  attachedRoutes: number;
  conditions: Condition[];
};

export type Address = { type?: string; value?: string };

/** How clients are to show who they are. */
export type ClientTls = { validation?: object };

export type Gateway = KubeObject & {
  spec?: {
    gatewayClassName?: string;
    listeners?: Listener[];
    addresses?: Address[];
    tls?: { frontend?: { default?: ClientTls; perPort?: { port: number; tls?: ClientTls }[] } };
  };
  status?: { addresses?: Address[]; conditions?: Condition[]; listeners?: ListenerStatus[] };
};

export type HeaderFilter = {
  set?: { name: string; value: string }[];
  add?: { name: string; value: string }[];
  remove?: string[];
};

export type PathModifier = { type: string; replaceFullPath?: string; replacePrefixMatch?: string };

export type RouteFilter = {
  type: string;
  requestHeaderModifier?: HeaderFilter;
  responseHeaderModifier?: HeaderFilter;
  requestRedirect?: { scheme?: string; hostname?: string; port?: number; path?: PathModifier; statusCode?: number };
  urlRewrite?: { hostname?: string; path?: PathModifier };
  cors?: {
    allowOrigins?: string[];
    allowCredentials?: boolean;
    allowMethods?: string[];
    allowHeaders?: string[];
    exposeHeaders?: string[];
    maxAge?: number;
  };
  requestMirror?: {
    backendRef: BackendReference;
    percent?: number;
    fraction?: { numerator: number; denominator?: number };
  };
};

export type BackendReference = Reference & { port?: number };
export type WeightedReference = BackendReference & { weight?: number; filters?: RouteFilter[] };

export type NamedMatch = { type?: string; name: string; value: string };

export type HttpRouteMatch = {
  path?: { type?: string; value?: string };
  method?: string;
  headers?: NamedMatch[];
  queryParams?: NamedMatch[];
};

export type GrpcRouteMatch = { method?: { type?: string; service?: string; method?: string }; headers?: NamedMatch[] };

export type RouteRule<M> = {
  matches?: M[];
  filters?: RouteFilter[];
  backendRefs?: WeightedReference[];
  timeouts?: { request?: string; backendRequest?: string };
};

type RouteOf<M> = KubeObject & {
  spec?: { parentRefs?: ParentReference[]; hostnames?: string[]; rules?: RouteRule<M>[] };
  status?: { parents?: ParentStatus[] };
};

export type ParentStatus = { parentRef: ParentReference; controllerName: string; conditions: Condition[] };
export type HttpRoute = RouteOf<HttpRouteMatch>;
export type GrpcRoute = RouteOf<GrpcRouteMatch>;
export type AnyRoute = HttpRoute | GrpcRoute;

export type ReferenceGrant = KubeObject & {
  spec?: {
    from?: { group: string; kind: string; namespace: string }[];
    to?: { group: string; kind: string; name?: string }[];
  };
};
