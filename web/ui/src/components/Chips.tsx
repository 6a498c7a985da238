import { chips, without } from "../query/chips";
import { Icon } from "./Icon";

interface Props {
  query: string;
  onFind: (query: string, settled: boolean) => void;
}

/** The filters of the query; each can be taken out with one press. */
export function Chips({ query, onFind }: Props) {
  const found = chips(query);
  if (!found.length) return null;
  return (
    <ul className="chips" aria-label="Filters">
      {found.map((chip) => (
        <li key={chip.start}>
          <button
            type="button"
            className="chip"
            aria-label={`Remove the filter ${chip.text}`}
            onClick={() => onFind(without(query, chip), true)}
          >
            {chip.text}
            <Icon shape="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
