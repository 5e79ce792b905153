/** What somebody has edited and not applied, so that it is there when they had to log in again meanwhile. */
import { BASE, session } from "./session.ts";

/** `found` is what it was edited from. */
export type Draft = { found: string; text: string };

const KEY = `skerry:${BASE}:drafts`;
const drafts = new Map<string, Draft & { user: string }>();

export function keepDraft(path: string, draft: Draft): void {
  if (session.value) drafts.set(path, { ...draft, user: session.value.user });
}

export function forgetDraft(path: string): void {
  drafts.delete(path);
}

export function forgetDrafts(): void {
  drafts.clear();
}

/** It is another's if another has logged in. */
export function draftOf(path: string): Draft | undefined {
  const draft = drafts.get(path);
  return draft && draft.user === session.value?.user ? draft : undefined;
}

/** While the tab is at another site it keeps them itself, and not for longer. */
export function storeDrafts(): void {
  if (drafts.size > 0) sessionStorage.setItem(KEY, JSON.stringify([...drafts]));
}

export function restoreDrafts(): void {
  const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [string, Draft & { user: string }][];
  sessionStorage.removeItem(KEY);
  for (const [path, draft] of stored) drafts.set(path, draft);
}
