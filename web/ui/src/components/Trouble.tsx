import type { Status } from "../api/client";
import { counted } from "../words/format";

/** What could not be indexed, with the reasons; folded away until somebody wants to know. */
export function Trouble({ trouble }: { trouble: Status["trouble"] }) {
  if (!trouble.length) return null;
  return (
    <details className="trouble">
      <summary>{counted(trouble.length, "file")} could not be read completely</summary>
      <ul>
        {trouble.map((one) => (
          <li key={`${one.source}/${one.path}/${one.stage ?? ""}`}>
            <code>{`${one.source}/${one.path}`}</code>
            <span>{one.reason}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
