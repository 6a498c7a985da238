import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { newest, search, session } from "./api/client";
import { Chips } from "./components/Chips";
import { Help } from "./components/Help";
import { History } from "./components/History";
import { Icon } from "./components/Icon";
import { Lightbox } from "./components/Lightbox";
import { Problem } from "./components/Problem";
import { Progress } from "./components/Progress";
import { Results } from "./components/Results";
import { SearchBox, type SearchBoxHandle } from "./components/SearchBox";
import { Start } from "./components/Start";
import { Trouble } from "./components/Trouble";
import type { Hung } from "./components/Wall";
import { useAddress } from "./hooks/useAddress";
import { useAnswer } from "./hooks/useAnswer";
import { useStatus } from "./hooks/useStatus";

const RECENT = 80;
const PROBLEM = "search-problem";
const askNewest = (_key: string, signal: AbortSignal) => newest(RECENT, signal);
const askSession = (_key: string, signal: AbortSignal) => session(signal);

export function App() {
  const { query, open, find, show, close } = useAddress();
  const { status, lost } = useStatus();
  const [helping, setHelping] = useState(false);
  const [looking, setLooking] = useState(false);
  const [decided, setDecided] = useState(0);
  const said = useRef(false);
  const may = useAnswer("session", askSession, looking ? 1 : 0); // another tab may have been let in
  const box = useRef<SearchBoxHandle>(null);

  const found = useAnswer(query || null, search, decided);
  const generation = open === null ? (status?.generation ?? 0) : 0;
  const recent = useAnswer(query ? null : "newest", askNewest, generation + decided);

  const hits = useMemo<Hung[]>(() => found.data?.hits ?? [], [found.data]);
  const latest = useMemo<Hung[] | null>(
    () => recent.data?.map((picture) => ({ picture, reasons: [] })) ?? null,
    [recent.data],
  );

  useEffect(() => {
    document.title = query ? `${query} – HavenFS` : "HavenFS";
  }, [query]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]")) return;
      if (event.key === "/") {
        event.preventDefault();
        box.current?.focus();
      } else if (event.key === "?") {
        setHelping(true);
      } else if (event.key === "h") {
        setLooking(true);
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const shut = useCallback(() => {
    const shown = open;
    close();
    if (said.current) setDecided((count) => count + 1); // not before: the walls would move behind
    said.current = false;
    window.setTimeout(() =>
      document.querySelector<HTMLElement>(`[data-asset="${shown ?? ""}"]`)?.focus(),
    );
  }, [close, open]);

  return (
    <>
      {status?.notice && <p className="notice">{status.notice}</p>}
      {status?.away.map((source) => (
        <p className="notice" key={source}>
          The disk of “{source}” is away: its files are hidden until it is back.
        </p>
      ))}
      <header className="top">
        <a
          className="brand"
          href="/"
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            find("", true);
          }}
        >
          <img src="/icon.svg" alt="" width="30" height="30" />
          <span>Haven</span>
        </a>
        <SearchBox
          ref={box}
          query={query}
          busy={found.loading}
          problem={found.error ? PROBLEM : null}
          onFind={find}
        />
        <div className="tools">
          <button
            type="button"
            className="quiet round"
            aria-label="History"
            onClick={() => setLooking(true)}
          >
            <Icon shape="history" />
          </button>
          <button
            type="button"
            className="quiet round"
            aria-label="How to search"
            onClick={() => setHelping(true)}
          >
            <Icon shape="help" />
          </button>
        </div>
      </header>
      <main>
        {lost && (
          <p className="lost" role="alert">
            HavenFS does not answer. This page goes on by itself when it is back.
          </p>
        )}
        {status && <Progress progress={status.progress} />}
        <Chips query={query} onFind={find} />
        {query ? (
          <>
            {found.error && <Problem id={PROBLEM} query={query} error={found.error} />}
            {found.data && !found.error && (
              <Results
                answer={found.data}
                hung={hits}
                stale={found.loading}
                onFind={find}
                onHelp={() => setHelping(true)}
                onOpen={show}
              />
            )}
          </>
        ) : (
          <Start status={status} hung={latest} onFind={find} onOpen={show} />
        )}
      </main>
      <footer>
        {status && <Trouble trouble={status.trouble} />}
        <p>
          Everything stays in this house.
          {status && ` HavenFS ${status.version}.`}
        </p>
      </footer>
      {open !== null && (
        <Lightbox
          id={open}
          sought={query.slice(0, 1000)}
          hung={query ? hits : (latest ?? [])}
          owner={may.data?.owner ?? false}
          onSaid={() => {
            said.current = true;
          }}
          onShow={show}
          onClose={shut}
        />
      )}
      {looking && (
        <History
          session={may.data}
          generation={status?.generation ?? 0}
          onChanged={() => setDecided((count) => count + 1)}
          onClose={() => setLooking(false)}
        />
      )}
      {helping && <Help onFind={find} onClose={() => setHelping(false)} />}
    </>
  );
}
