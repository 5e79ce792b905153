import { read } from "./figures.ts";

export type Interface = {
  name: string;
  receive: Traffic;
  transmit: Traffic;
};
export type Traffic = { bytes: number; packets: number; errors: number; dropped: number };

/** Of these nobody wants to know: they lead to one's own, or to containers whose own ends are counted. */
const IGNORED = /^(lo|veth|docker|nerdctl)/;

/** The interfaces that a process sees, of proc_pid_net(5); none when it has ended. */
export function interfacesOf(pid: number | "self", proc = "/proc"): Interface[] {
  const lines = (read(`${proc}/${pid}/net/dev`) ?? "").split("\n").slice(2);
  return lines.flatMap((line): Interface[] => {
    const [name = "", rest = ""] = line.trim().split(/:\s*/);
    const values = rest.trim().split(/\s+/).map(Number);
    if (values.length < 16 || IGNORED.test(name)) return [];
    const traffic = (at: number): Traffic => {
      const [bytes = 0, packets = 0, errors = 0, dropped = 0] = values.slice(at, at + 4);
      return { bytes, packets, errors, dropped };
    };
    return [{ name, receive: traffic(0), transmit: traffic(8) }];
  });
}
