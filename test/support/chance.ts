/** Properties are asked of the same values each time: what fails does so for everybody. `SKERRY_SEED` draws others. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.SKERRY_SEED ?? 1) });
