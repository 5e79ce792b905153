/** What is kept of one container's attempt. Times are RFC 3339; `bytes` as they lie there. */
export type KeptLog = {
  pod: string;
  uid: string;
  container: string;
  attempt: number;
  first: string;
  last: string;
  bytes: number;
};
