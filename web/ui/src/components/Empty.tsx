import { chips, without } from "../query/chips";
import { sentence } from "../words/format";

interface Props {
  query: string;
  notes: readonly string[];
  onFind: (query: string, settled: boolean) => void;
  onHelp: () => void;
}

/** Nothing was found: say so plainly, and offer what could widen the search. */
export function Empty({ query, notes, onFind, onHelp }: Props) {
  const wider = chips(query)
    .map((chip) => ({ chip, rest: without(query, chip) }))
    .filter(({ rest }) => rest);
  return (
    <section className="message">
      <h2>Nothing found</h2>
      <p>
        No photo, video or document here is a good match for <q>{query}</q>.
      </p>
      {notes.map((note) => (
        <p key={note}>{sentence(note)}</p>
      ))}
      {wider.length === 0 && (
        <p>Fewer or more everyday words find more: what is to be seen, a place, a year.</p>
      )}
      <ul className="wider">
        {wider.map(({ chip, rest }) => (
          <li key={chip.start}>
            <button type="button" className="button" onClick={() => onFind(rest, true)}>
              Search without {chip.text}
            </button>
          </li>
        ))}
        <li>
          <button type="button" className="button" onClick={onHelp}>
            All search words
          </button>
        </li>
      </ul>
    </section>
  );
}
