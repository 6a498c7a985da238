import { useCallback, useSyncExternalStore } from "react";

import { type Address, read, step, write } from "../query/address";

interface Entry {
  /** A query that is still being typed. */
  draft?: boolean;
  /** Opened from this page, so that closing goes back instead of making another entry. */
  opened?: boolean;
}

const MOVED = "havenfs:moved";

function subscribe(notify: () => void) {
  window.addEventListener("popstate", notify);
  window.addEventListener(MOVED, notify);
  return () => {
    window.removeEventListener("popstate", notify);
    window.removeEventListener(MOVED, notify);
  };
}

function go(how: "push" | "replace", address: Address, entry: Entry) {
  if (how === "push") window.history.pushState(entry, "", write(address));
  else window.history.replaceState(entry, "", write(address));
  window.dispatchEvent(new Event(MOVED));
}

const entry = () => (window.history.state as Entry | null) ?? {};

/** The address and the ways to change it, so that reload, back and forward lead where a person expects. */
export function useAddress() {
  const text = useSyncExternalStore(subscribe, () => window.location.search);
  const address = read(text);

  const find = useCallback((query: string, settled: boolean) => {
    const now = read(window.location.search);
    const wanted = query.trim();
    const how = step(now.query, wanted, entry().draft === true);
    if (how !== "stay") go(how, { query: wanted, open: null }, { draft: !settled });
    else if (settled && entry().draft) go("replace", now, {});
  }, []);

  const open = useCallback((id: number) => {
    const now = read(window.location.search);
    if (now.open === null) go("push", { ...now, open: id }, { opened: true });
    else go("replace", { ...now, open: id }, entry());
  }, []);

  const close = useCallback(() => {
    const now = read(window.location.search);
    if (now.open === null) return;
    if (entry().opened) window.history.back();
    else go("replace", { ...now, open: null }, {});
  }, []);

  return { ...address, find, open: address.open, show: open, close };
}
