import type { Refused } from "../api/client";
import { sentence } from "../words/format";

interface Props {
  id: string;
  query: string;
  error: Refused;
}

/** A search that could not be done; for an unparseable query, the place where it stops making sense. */
export function Problem({ id, query: typed, error }: Props) {
  const query = typed.replace(/\s+/g, " "); // as the parser counts
  const at = error.position;
  return (
    <section className="message" role="alert" id={id}>
      <h2>{at === null ? "The search did not work" : "This search cannot be understood"}</h2>
      <p>{sentence(error.message)}</p>
      {at !== null && (
        <p className="where">
          <code>
            {query.slice(0, at)}
            <mark>{query.slice(at, at + 1) || " "}</mark>
            {query.slice(at + 1)}
          </code>
          <span>at character {at + 1}</span>
        </p>
      )}
    </section>
  );
}
