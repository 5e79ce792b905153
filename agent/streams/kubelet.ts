/** `nodes/NAME/proxy` for the node itself: what its own API answers, as messages to the edge. */
import { Readable } from "node:stream";
import type { Headers } from "../../worker/protocol/proxy.ts";
import type { Answer, Question } from "../kubelet/answer.ts";
import { compressed } from "../kubelet/server.ts";

export type NodeFacts = { answer(question: Question): Promise<Answer> };
export type NodeAnswer = { status: number; headers: Headers; body: Readable };

/** `accepted` is what the client says of the encodings that it takes. */
export async function answerForNode(node: NodeFacts, question: Question, accepted: string): Promise<NodeAnswer> {
  const { status, headers, body } = await compressed(await node.answer(question), accepted);
  const list = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const isWhole = typeof body === "string" || Buffer.isBuffer(body);
  return { status, headers: list, body: isWhole ? Readable.from([Buffer.from(body)]) : body };
}
