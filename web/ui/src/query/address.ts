/** What the address bar says: the query and the picture that is open. Pure; `useAddress` does the history. */

export interface Address {
  query: string;
  /** The asset shown large. */
  open: number | null;
}

/** How an address reaches the history: a new entry, or the present one rewritten. */
export type Step = "push" | "replace" | "stay";

export function read(search: string): Address {
  const parameters = new URLSearchParams(search);
  const id = parameters.get("id") ?? "";
  return {
    query: (parameters.get("q") ?? "").trim(),
    open: /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null,
  };
}

export function write(address: Address): string {
  const parameters = new URLSearchParams();
  if (address.query) parameters.set("q", address.query);
  if (address.open !== null) parameters.set("id", String(address.open));
  const text = parameters.toString();
  return text ? `/?${text}` : "/";
}

/**
 * Typing makes one entry, not one for each letter: the first pause pushes a draft, further pauses rewrite it, and Enter
 * settles it, so that the next words start an entry of their own.
 */
export function step(from: string, to: string, draft: boolean): Step {
  if (from === to) return "stay";
  return draft ? "replace" : "push";
}
