/** Opens a side of a stream at the Relay object, as the Worker does. */
import { Relay } from "../../worker/relay.ts";

export { Relay };

/** What is used here of a namespace of Durable Objects. */
type Namespace = {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(url: string, init: { headers: Record<string, string> }): Promise<Response> };
};

export default {
  fetch(request: Request, { RELAYS }: { RELAYS: Namespace }): Promise<Response> {
    const { pathname } = new URL(request.url);
    return RELAYS.get(RELAYS.idFromName("node")).fetch(`https://relay${pathname}`, {
      headers: { upgrade: "websocket" },
    });
  },
};
