/** What an app is told of a request that came to it by the edge. */
import { type Headers as HeaderList, HOP_BY_HOP } from "../protocol/proxy.ts";

/** As the platforms have it; Node.js knows none. */
type Asked = Pick<Request, "headers"> & { cf?: object };
type Peer = { clientIp?: string; colo?: string };

/** What the way here has added, or what nobody's word is taken for. */
const NOT_PASSED_ON =
  /^(?:x-skerry-.*|cf-.*|cdn-loop|sec-websocket-.*|x-forwarded-.*|x-real-ip|forwarded|true-client-ip)$/;

/** As workerd tells a client's address, which Cloudflare does not: `[::ffff:192.0.2.1]:52064`. */
function clientOf({ headers, cf }: Asked): string | undefined {
  const { clientIp, colo }: Peer = cf ?? {};
  // Nobody else can have set it there.
  if (colo) return headers.get("cf-connecting-ip") ?? undefined;
  return clientIp
    ?.replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/^::ffff:(?=\d+\.)/, "");
}

/** The headers as the app is to see them. */
export function forwardedOf(request: Asked, url: URL): HeaderList {
  const client = clientOf(request);
  const scheme = url.protocol.slice(0, -1);
  const port = url.port || (scheme === "https" ? "443" : "80");
  const node = client?.includes(":") ? `"[${client}]"` : (client ?? "unknown");
  return [
    ...[...request.headers].filter(([name]) => !HOP_BY_HOP.has(name) && !NOT_PASSED_ON.test(name)),
    ...(client
      ? ([
          ["x-forwarded-for", client],
          ["x-real-ip", client],
        ] as HeaderList)
      : []),
    ["x-forwarded-host", url.host],
    ["x-forwarded-port", port],
    ["x-forwarded-proto", scheme],
    ["forwarded", `for=${node};host="${url.host}";proto=${scheme}`],
  ];
}
