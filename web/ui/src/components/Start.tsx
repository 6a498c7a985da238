import type { Status } from "../api/client";
import { counted, number } from "../words/format";
import { type Hung, Wall } from "./Wall";

const EXAMPLES = ["sunset at the beach", "snow", "red car", "last summer", "type:document"];

interface Props {
  status: Status | null;
  hung: readonly Hung[] | null;
  onFind: (query: string, settled: boolean) => void;
  onOpen: (id: number) => void;
}

/** The page before anything is asked: how much there is, what one may ask, and what came in last. */
export function Start({ status, hung, onFind, onOpen }: Props) {
  return (
    <>
      <section className="welcome" aria-label="Library">
        <h1>{summary(status?.counts) || "Your library"}</h1>
        {status && found(status.found) && <p className="found">{found(status.found)}</p>}
        <p>
          Try{" "}
          {EXAMPLES.map((example) => (
            <button
              key={example}
              type="button"
              className="example"
              onClick={() => onFind(example, true)}
            >
              {example}
            </button>
          ))}
        </p>
      </section>
      {hung && hung.length > 0 && (
        <section aria-labelledby="recent" className="results">
          <h2 id="recent">Recently added</h2>
          <Wall hung={hung} label="Recently added" onOpen={onOpen} />
        </section>
      )}
      {hung?.length === 0 && (
        <section className="message">
          <h2>
            {status && !status.progress.idle
              ? "The first pictures are on their way"
              : "Nothing here yet"}
          </h2>
          <p>
            {status && !status.progress.idle
              ? "They appear here as soon as they have been looked at."
              : "Put photos, videos or documents into a folder that HavenFS watches; they appear here by themselves."}
          </p>
        </section>
      )}
    </>
  );
}

function summary(counts: Status["counts"] | undefined): string {
  if (!counts) return "";
  const kinds: [number, string][] = [
    [counts.photos, "photo"],
    [counts.videos, "video"],
    [counts.documents, "document"],
  ];
  return kinds
    .filter(([count]) => count)
    .map(([count, kind]) => counted(count, kind))
    .join(", ");
}

function found({ tagged, copies, groups, read }: Status["found"]): string {
  const parts: [number, string][] = [
    [tagged, `${number(tagged)} with suggested tags`],
    [copies, `${counted(copies, "copy", "copies")} of ${counted(groups, "picture")}`],
    [read, `${counted(read, "picture")} with text`],
  ];
  return parts
    .filter(([count]) => count)
    .map(([, words]) => words)
    .join(" · ");
}
