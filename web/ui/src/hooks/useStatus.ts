import { useEffect, useState } from "react";

import { type Status, status } from "../api/client";

const WORKING_MS = 2_000;
const IDLE_MS = 15_000;

/** The status, asked for again and again: often while indexing goes on, rarely when idle, never in a hidden tab. */
export function useStatus(): { status: Status | null; lost: boolean } {
  const [state, setState] = useState<{ status: Status | null; lost: boolean }>({
    status: null,
    lost: false,
  });

  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    const ask = async () => {
      window.clearTimeout(timer);
      let wait = WORKING_MS;
      if (!document.hidden) {
        try {
          const found = await status(controller.signal);
          setState({ status: found, lost: false });
          if (found.progress.idle) wait = IDLE_MS;
        } catch {
          if (controller.signal.aborted) return;
          setState((last) => ({ ...last, lost: true }));
        }
      }
      timer = window.setTimeout(() => void ask(), wait);
    };
    const wake = () => {
      if (!document.hidden) void ask();
    };
    document.addEventListener("visibilitychange", wake);
    void ask();
    return () => {
      controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, []);

  return state;
}
