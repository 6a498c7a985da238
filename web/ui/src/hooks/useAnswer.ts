import { useEffect, useState } from "react";

import { Refused } from "../api/client";

export interface Answer<T> {
  /** The last good one; stays while the next is under way, so that the page does not flicker. */
  data: T | null;
  error: Refused | null;
  /** What *data* answers. */
  key: string | null;
  loading: boolean;
}

/** Ask for *key* and again whenever it or *round* changes; an answer that is overtaken is dropped. null asks nothing. */
export function useAnswer<T>(
  key: string | null,
  ask: (key: string, signal: AbortSignal) => Promise<T>,
  round = 0,
): Answer<T> {
  const [answer, setAnswer] = useState<Omit<Answer<T>, "loading"> & { asked: string | null }>({
    data: null,
    error: null,
    key: null,
    asked: null,
  });

  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    ask(key, controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setAnswer({ data, error: null, key, asked: key });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        const refused = error instanceof Refused ? error : new Refused(String(error), "unknown");
        setAnswer((last) => ({ ...last, error: refused, asked: key }));
      },
    );
    return () => controller.abort();
  }, [key, ask, round]);

  const current = key !== null && answer.asked === key;
  return {
    data: answer.data,
    error: current ? answer.error : null,
    key: answer.key,
    loading: key !== null && !current,
  };
}
