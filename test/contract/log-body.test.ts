/** A log on its way from the agent, by the real Relay, into the body of an HTTP answer. */
import { once } from "node:events";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { ProxyMessage } from "../../worker/protocol/proxy.ts";
import { startWorker } from "./miniflare.ts";

const WORKER = `
  export { Relay } from "../../worker/relay.ts";
  import { logAnswer } from "../../worker/edge/stream.ts";
  export default {
    async fetch(request, { RELAYS }) {
      const { pathname } = new URL(request.url);
      const headers = { upgrade: "websocket" };
      const joined = await RELAYS.get(RELAYS.idFromName("node")).fetch("https://relay" + pathname, { headers });
      return pathname.startsWith("/client/") ? logAnswer(joined.webSocket) : joined;
    },
  };`;
const BEGUN: ProxyMessage = { type: "response", status: 200, headers: [] };

let miniflare: Miniflare;
let url: string;

beforeAll(async () => {
  miniflare = await startWorker({ stdin: { contents: WORKER, resolveDir: import.meta.dirname } }, { RELAYS: "Relay" });
  url = (await miniflare.ready).href;
});

afterAll(() => miniflare.dispose());

/** The agent's side does as `serve` says; resolves with the answer and what the agent was told. */
async function ask(id: string, serve: (agent: WebSocket) => void) {
  const agent = new WebSocket(`${url.replace("http", "ws")}agent/${id}`, { perMessageDeflate: false });
  let read = 0;
  agent.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ProxyMessage;
    if (message.type === "read") read += message.bytes;
  });
  agent.once("open", () => serve(agent));
  const [answer] = await Promise.all([fetch(`${url}client/${id}`), once(agent, "open")]);
  return { answer, agent, told: () => read };
}

test("messages are the body, and the agent is told of all that was taken", async () => {
  const { answer, agent, told } = await ask("a", (agent) => {
    agent.send(JSON.stringify(BEGUN));
    for (let part = 0; part < 10; part++) agent.send(Buffer.alloc(100_000, `${part}`));
  });
  expect(answer.status).toBe(200);
  const body = answer.text();
  await expect.poll(told).toBe(1_000_000);
  agent.close(1000);
  expect((await body).length).toBe(1_000_000);
});

test("why there is no log is a refusal", async () => {
  const message = 'previous terminated container "c" in pod "p" not found';
  const { answer } = await ask("b", (agent) => {
    agent.send(JSON.stringify({ type: "unreachable", message } satisfies ProxyMessage));
    agent.close(1000);
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ kind: "Status", reason: "BadRequest", message });
});

test("a log that breaks off has no end", async () => {
  const { answer, agent } = await ask("c", (agent) => {
    agent.send(JSON.stringify(BEGUN));
    agent.send(Buffer.from("begun"));
  });
  agent.close(1011, "broken");
  await expect(answer.text()).rejects.toThrow();
});
