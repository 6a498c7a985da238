import type { SearchAnswer } from "../api/client";
import { counted, sentence } from "../words/format";
import { CopyPath } from "./CopyPath";
import { Empty } from "./Empty";
import { type Hung, Wall } from "./Wall";

interface Props {
  answer: SearchAnswer;
  hung: readonly Hung[];
  stale: boolean;
  onFind: (query: string, settled: boolean) => void;
  onHelp: () => void;
  onOpen: (id: number) => void;
}

/** The answer to a search, with the folder that holds the same. */
export function Results({ answer, hung, stale, onFind, onHelp, onOpen }: Props) {
  const found = counted(hung.length, "result");
  return (
    <section aria-label="Results" aria-busy={stale} className="results">
      <div className="resultsbar">
        <p role="status">
          {hung.length ? (
            <>
              <strong>{found}</strong> for {answer.query}
            </>
          ) : (
            <span className="hidden">No results for {answer.query}</span>
          )}
        </p>
        {hung.length > 0 && answer.path && (
          <CopyPath path={answer.path} label="Copy the path of this folder" />
        )}
      </div>
      {hung.length > 0 && answer.notes.length > 0 && (
        <ul className="notes" aria-label="About this answer">
          {answer.notes.map((note) => (
            <li key={note}>{sentence(note)}</li>
          ))}
        </ul>
      )}
      {hung.length > 0 ? (
        <Wall hung={hung} label={found} onOpen={onOpen} />
      ) : (
        <Empty query={answer.query} notes={answer.notes} onFind={onFind} onHelp={onHelp} />
      )}
    </section>
  );
}
