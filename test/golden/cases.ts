/** Requests with the answers of kube-apiserver v1.35.4, in files by what they are about. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "../../worker/api/testing/golden.ts";

const FOLDER = join(import.meta.dirname, "testdata");

export const goldenFiles = (): { file: string; cases: Case[] }[] =>
  readdirSync(FOLDER).map((file) => ({
    file: file.replace(/\.json$/, ""),
    cases: (JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as { cases: Case[] }).cases,
  }));
