import { useEffect, useRef } from "react";

import { terms } from "../api/client";
import { useAnswer } from "../hooks/useAnswer";
import { Icon } from "./Icon";

interface Props {
  onFind: (query: string, settled: boolean) => void;
  onClose: () => void;
}

const KEYS = [
  ["/", "go to the search box"],
  ["Enter", "search now; open a picture"],
  ["← ↑ → ↓", "move between pictures"],
  ["Esc", "close, or clear the search"],
  ["?", "this page"],
] as const;

const ask = (_key: string, signal: AbortSignal) => terms(signal);

/** Every word of the search language, from the program itself. */
export function Help({ onFind, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { data, error } = useAnswer("help", ask);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    <dialog
      ref={dialog}
      className="help"
      aria-labelledby="help-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id="help-title">How to search</h2>
        <button type="button" className="quiet round" aria-label="Close" onClick={onClose}>
          <Icon shape="close" />
        </button>
      </header>
      <p>
        Write what you remember: what is in the picture, where it was, words that can be read on it.
        Narrow it with the words below. The same text works as the name of a folder in{" "}
        <code>search/</code>, with <code>=</code> in place of <code>:</code>.
      </p>
      {error && <p role="alert">{error.message}</p>}
      <dl className="terms">
        {data?.map((term) => (
          <div key={term.name}>
            <dt>{term.name}</dt>
            <dd>
              {term.help}
              {term.example && (
                <button
                  type="button"
                  className="example"
                  aria-label={`Search for ${term.example}`}
                  onClick={() => {
                    onFind(term.example, true);
                    onClose();
                  }}
                >
                  {term.example}
                </button>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <h3>Keys</h3>
      <dl className="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
