import { useCallback, useEffect, useState } from "react";

import { type Decided, history, Refused } from "../api/client";

const PART = 30;

export interface History {
  /** Newest first; null until the first answer. */
  operations: readonly Decided[] | null;
  more: boolean;
  error: Refused | null;
  earlier: () => void;
}

/** What was decided, as far down as was asked for; asked again from the newest whenever *round* changes. */
export function useHistory(round: number): History {
  const [wanted, setWanted] = useState(PART);
  const [state, setState] = useState<Omit<History, "earlier">>({
    operations: null,
    more: false,
    error: null,
  });

  useEffect(() => {
    const controller = new AbortController();
    const ask = async () => {
      const operations: Decided[] = [];
      let more = true;
      while (more && operations.length < wanted) {
        const part = await history(PART, operations.at(-1)?.id ?? null, controller.signal);
        operations.push(...part.operations);
        more = part.more;
      }
      setState({ operations, more, error: null });
    };
    ask().catch((error: unknown) => {
      if (controller.signal.aborted) return;
      const refused = error instanceof Refused ? error : new Refused(String(error), "unknown");
      setState((last) => ({ ...last, error: refused }));
    });
    return () => controller.abort();
  }, [wanted, round]);

  return { ...state, earlier: useCallback(() => setWanted((count) => count + PART), []) };
}
