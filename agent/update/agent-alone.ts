/** What an update of the agent runs, under the program that was installed (`run.sh`). */
import { errorText } from "../../worker/lib/error-text.ts";
import { runAgent } from "../agent.ts";
import { steadyEffects } from "../effects.ts";
import { homeFromEnvironment } from "../local/home.ts";

const log = (message: string) => process.stderr.write(`skerry: ${message}\n`);

runAgent(homeFromEnvironment(process.env), steadyEffects, log).catch((error: unknown) => {
  log(errorText(error));
  process.exit(1);
});
