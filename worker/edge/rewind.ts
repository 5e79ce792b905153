/** A cluster's way back to a moment: its object ends, and the first that it hears when it is there again is how far it had come. */
type ClusterObject = { fetch(request: Request): Promise<Response> };

export const isRewind = (request: Request, path: string): boolean =>
  request.method === "POST" && path === "/skerry/rewind";

/** `cluster` gives a new way to the object each time: one that has broken stays so. */
export async function rewind(request: Request, cluster: () => ClusterObject): Promise<Response> {
  const { headers } = request;
  const came = new URL(request.url);
  came.pathname = "/skerry/rewound";
  try {
    const answer = await cluster().fetch(request);
    // It goes back only by ending: what it says are refusals.
    if (!answer.ok) return answer;
  } catch {
    // as it should be
  }
  return cluster().fetch(new Request(came, { method: "POST", headers }));
}
