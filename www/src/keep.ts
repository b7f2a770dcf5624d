/// What this browser keeps between visits, and nobody else ever sees: drafts of labs, and how far the reader has come.
/// Without storage the page works all the same; it then forgets.

const PREFIX = "hookwalk.";

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}
export function store(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Private windows may refuse; what was chosen then lasts as long as the page.
  }
}

/** The name, in addresses and here, of a text that is in no library. */
export const OWN = "_own";

/** A lab's text as the reader left it, where it is not the library's. */
export const draft = (name: string): string | null => recall(`draft.${name}`);
export const keepDraft = (name: string, text: string | undefined): void => store(`draft.${name}`, text);

/** How far the reader has come in one lab. */
export interface Visit {
  /** Where they were. */
  at: number;
  /** Have they seen the end? */
  over?: boolean;
  /** Predictions by line of the lab: the first answer, and whether it was right. */
  told?: Record<string, boolean>;
}
export interface Progress {
  /** The lab that was open last. */
  last?: string;
  labs: Record<string, Visit>;
}

export function progress(): Progress {
  try {
    const kept = JSON.parse(recall("progress") ?? "null") as Partial<Progress> | null;
    if (kept && typeof kept.labs === "object" && kept.labs) return { ...kept, labs: kept.labs };
  } catch {
    // Written by another version, or by hand: begun anew.
  }
  return { labs: {} };
}
export function visit(name: string, change: (visit: Visit) => void): void {
  const kept = progress();
  const one = (kept.labs[name] ??= { at: 0 });
  change(one);
  store("progress", JSON.stringify({ ...kept, last: name }));
}

/** Forgets progress and drafts; language and theme stay. */
export function forget(): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key === `${PREFIX}progress` || key.startsWith(`${PREFIX}draft.`) || key.startsWith(`${PREFIX}typed.`)) localStorage.removeItem(key);
    }
  } catch {
    // Nothing is kept where nothing can be.
  }
}
