import { type Term, terms } from "../api/client";
import { useAnswer } from "../hooks/useAnswer";
import { Panel } from "./Panel";

interface Props {
  onFind: (query: string, settled: boolean) => void;
  onClose: () => void;
}

const KEYS = [
  ["/", "go to the search box"],
  ["Enter", "search now; open a picture"],
  ["← ↑ → ↓", "move between pictures"],
  ["Esc", "close, or clear the search"],
  ["h", "what was decided, and back"],
  ["?", "this page"],
] as const;

const ask = (_key: string, signal: AbortSignal) => terms(signal);

/** Every word of the search language, from the program itself. */
export function Help({ onFind, onClose }: Props) {
  const { data, error } = useAnswer("help", ask);

  return (
    <Panel name="help" title="How to search" onClose={onClose}>
      <p>
        Write what you remember: what is in the picture, where it was, words that can be read on it.
        Narrow it with the words below. The same text works as the name of a folder in{" "}
        <code>search/</code>, with <code>=</code> in place of <code>:</code>.
      </p>
      {error && <p role="alert">{error.message}</p>}
      {groups(data ?? []).map(([group, members]) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <dl className="terms">
            {members.map((term) => (
              <div key={term.example}>
                <dt>
                  <button
                    type="button"
                    className="example"
                    aria-label={`Search for ${term.example}`}
                    onClick={() => {
                      onClose();
                      onFind(term.example, true);
                    }}
                  >
                    {term.example}
                  </button>
                </dt>
                <dd>
                  {term.help}
                  {term.keys.length > 1 && <small>also {term.keys.slice(1).join(", ")}</small>}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
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
    </Panel>
  );
}

/** The terms under their headings, in the order of the language. */
function groups(all: readonly Term[]): [string, Term[]][] {
  const found = new Map<string, Term[]>();
  for (const term of all) found.set(term.group, [...(found.get(term.group) ?? []), term]);
  return [...found];
}
