/** `skerry up --no-agent`: the control plane alone. It loads little, for all that it loads comes before the first answer. */
import { closeSync } from "node:fs";
import { join } from "node:path";
import { become } from "../process.ts";
import { files } from "./home.ts";
import { prepare, thisProgram, type UpOptions, workerdOptions } from "./prepare.ts";
import { openLog, prepareWorkerd, workerdBinary } from "./workerd.ts";

/** This process becomes a shell that keeps workerd running, and lets `skerry announce` say when it answers. */
export async function upAlone(options: UpOptions): Promise<never> {
  const { home, progress } = options;
  await prepare(options);
  progress("starting the control plane");
  prepareWorkerd(await workerdOptions(options));
  closeSync(openLog(join(files(home.path).logs, "workerd.log")));
  const keep = join(import.meta.dirname, "keep.sh");
  return become("/bin/sh", [keep, home.path, workerdBinary(), ...thisProgram(), "announce"]);
}
