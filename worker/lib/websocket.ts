/** WebSockets: https://www.rfc-editor.org/rfc/rfc6455 */

/** Whether a request asks for one. */
export const asksForSocket = ({ headers }: Request): boolean => headers.get("upgrade")?.toLowerCase() === "websocket";

export const upgradeRequired = (): Response => new Response("upgrade required", { status: 426 });

/** §7.4.1: codes that only describe a missing close frame, or none, may not be sent. */
export const sendableCode = (code: number): number => (code === 1005 || code === 1006 || code === 1015 ? 1000 : code);

/** Before a bearer token among the subprotocols: browsers can say it in no other way. It is never the one agreed upon. */
export const PROTOCOL_TOKEN = "base64url.bearer.authorization.k8s.io.";
