/**
 * Large answers, compressed for clients that ask for it, as kube-apiserver does. Here that costs the one thread more time
 * than it saves on the machine itself, so that only clients elsewhere get it. Cloudflare compresses by itself, beyond
 * the Worker's allowance; it tells no address here.
 */

/** How an answer says that it is large enough (`LARGE` in api/http/answer.ts). */
const LARGE = /\baccept-encoding\b/i;
/** `[::ffff:127.0.0.1]:52064`, as workerd tells the client's address. */
const HERE = /^\[?(::ffff:)?127\.|^\[?::1\b/;

/** As workerd has it; Node.js knows none. */
type Peer = { cf?: { clientIp?: string } };

/** Whether the client is on another machine and can read gzip. */
function wantsGzip({ headers, cf }: Request & Peer): boolean {
  const address = cf?.clientIp;
  if (address === undefined || HERE.test(address)) return false;
  return (headers.get("accept-encoding") ?? "").split(",").some((token) => token.trim() === "gzip");
}

export function compressed(request: Request, answer: Response): Response {
  // Of most answers the headers are not looked at here: that alone costs a twentieth of what a read does.
  if (!wantsGzip(request) || !answer.body || !LARGE.test(answer.headers.get("vary") ?? "")) return answer;
  const headers = new Headers(answer.headers);
  // The runtime encodes the body as this says.
  headers.set("content-encoding", "gzip");
  return new Response(answer.body, { status: answer.status, headers });
}
