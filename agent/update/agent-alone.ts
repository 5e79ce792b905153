/** A node's agent as a program of its own: what `skerry agent` becomes, and what an update consists of (`run.sh`). */
import { errorText } from "../../worker/lib/error-text.ts";
import { collectWhenQuiet } from "../collecting.ts";
import { steadyEffects } from "../effects.ts";
import { homeFromEnvironment } from "../local/home.ts";
import { beLean } from "../program.ts";

const log = (message: string) => process.stderr.write(`skerry: ${message}\n`);

beLean();
collectWhenQuiet(steadyEffects);
import("../agent.ts")
  .then(({ runAgent }) => runAgent(homeFromEnvironment(process.env), steadyEffects, log))
  .catch((error: unknown) => {
    log(errorText(error));
    process.exit(1);
  });
