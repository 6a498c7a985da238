import { type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";

import { Icon } from "./Icon";

const PAUSE_MS = 280; // long enough to finish a word, short enough to feel live

export interface SearchBoxHandle {
  focus: () => void;
}

interface Props {
  query: string;
  busy: boolean;
  /** Id of what says where the text cannot be understood; null while it can. */
  problem: string | null;
  onFind: (query: string, settled: boolean) => void;
  ref?: Ref<SearchBoxHandle>;
}

export function SearchBox({ query, busy, problem, onFind, ref }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  const [typed, setTyped] = useState({ text: query, of: query });

  // The address moved by other means (back, a chip, an example): show what it says now.
  if (typed.of !== query) {
    setTyped({ text: typed.text.trim() === query ? typed.text : query, of: query });
  }

  useImperativeHandle(ref, () => ({
    focus: () => {
      input.current?.focus();
      input.current?.select();
    },
  }));

  useEffect(() => () => window.clearTimeout(timer.current), [query]);

  const find = (text: string, settled: boolean) => {
    window.clearTimeout(timer.current);
    onFind(text, settled);
  };

  return (
    <form
      role="search"
      className="searchbox"
      data-busy={busy || undefined}
      onSubmit={(event) => {
        event.preventDefault();
        find(typed.text, true);
        input.current?.blur();
      }}
    >
      <Icon shape="search" />
      <input
        ref={input}
        type="text"
        role="searchbox"
        inputMode="search"
        enterKeyHint="search"
        aria-label="Search photos, videos and documents"
        aria-invalid={problem !== null}
        aria-describedby={problem ?? undefined}
        placeholder="Search your library"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        maxLength={1000}
        value={typed.text}
        onChange={(event) => {
          const text = event.target.value;
          setTyped({ ...typed, text });
          window.clearTimeout(timer.current);
          timer.current = window.setTimeout(() => onFind(text, false), PAUSE_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape" && typed.text) {
            event.preventDefault();
            setTyped({ ...typed, text: "" });
            find("", true);
          }
        }}
      />
      {typed.text ? (
        <button
          type="button"
          className="quiet round"
          aria-label="Clear the search"
          onClick={() => {
            setTyped({ ...typed, text: "" });
            find("", true);
            input.current?.focus();
          }}
        >
          <Icon shape="close" />
        </button>
      ) : (
        <kbd aria-hidden="true">/</kbd>
      )}
    </form>
  );
}
