import { useMemo, useRef, useState } from "react";

import type { Picture } from "../api/client";
import { useWidth } from "../hooks/useWidth";
import { justify, neighbour } from "../layout/justify";
import { Tile } from "./Tile";

export interface Hung {
  picture: Picture;
  reasons: readonly string[];
}

interface Props {
  hung: readonly Hung[];
  label: string;
  onOpen: (id: number) => void;
}

const PAGE = 0.77; // width by height of a document without a preview
const PHONE_PX = 600;

function ratio({ width, height, kind, thumbnail }: Picture): number {
  if (width && height) return width / height;
  return kind === "document" || !thumbnail ? PAGE : 4 / 3;
}

/** Pictures in justified rows. One stop for the Tab key; arrows move within. */
export function Wall({ hung, label, onOpen }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const width = useWidth(element);
  const [focused, setFocused] = useState(0);
  const phone = width < PHONE_PX;
  const gap = phone ? 6 : 12;
  const rows = useMemo(
    () =>
      justify(
        hung.map(({ picture }) => ratio(picture)),
        { width, height: phone ? 150 : 220, gap },
      ),
    [hung, width, phone, gap],
  );
  const current = Math.min(focused, Math.max(0, hung.length - 1));

  return (
    <div
      ref={element}
      role="grid"
      tabIndex={-1}
      className="wall"
      aria-label={label}
      aria-rowcount={rows.length}
      onKeyDown={(event) => {
        const to = neighbour(rows, current, event.key);
        if (to === current || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        const id = hung[to]?.picture.id;
        element.current?.querySelector<HTMLElement>(`[data-asset="${id ?? ""}"]`)?.focus();
      }}
    >
      {rows.map((row, index) => (
        <div key={row.start} role="row" aria-rowindex={index + 1} className="row" style={{ gap }}>
          {hung.slice(row.start, row.end).map(({ picture, reasons }, n) => (
            <div role="gridcell" key={picture.id}>
              <Tile
                picture={picture}
                reasons={reasons}
                width={row.widths[n] ?? 0}
                height={row.height}
                current={row.start + n === current}
                onOpen={() => onOpen(picture.id)}
                onFocus={() => setFocused(row.start + n)}
              />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}
