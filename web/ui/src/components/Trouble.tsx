import type { Status } from "../api/client";
import { counted } from "../words/format";

/** What could not be indexed, with the reasons; folded away until somebody wants to know. */
export function Trouble({ trouble }: { trouble: Status["trouble"] }) {
  if (!trouble.length) return null;
  const files = new Map<string, Set<string>>();
  for (const { source, path, reason } of trouble) {
    const name = `${source}/${path}`;
    files.set(name, (files.get(name) ?? new Set()).add(reason));
  }
  return (
    <details className="trouble">
      <summary>{counted(files.size, "file")} could not be read completely</summary>
      <ul>
        {[...files].map(([name, reasons]) => (
          <li key={name}>
            <code>{name}</code>
            {[...reasons].map((reason) => (
              <span key={reason}>{reason}</span>
            ))}
          </li>
        ))}
      </ul>
    </details>
  );
}
