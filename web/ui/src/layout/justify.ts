/** Justified rows: each row is filled to the width, all its pictures equally high, order kept. Linear in the pictures. */

export interface Row {
  /** Index of the first picture. */
  start: number;
  /** Index after the last picture. */
  end: number;
  /** Of every picture in the row, CSS pixels. */
  height: number;
  /** Of each picture, CSS pixels; with the gaps they add up to the width, short last rows aside. */
  widths: number[];
}

export interface Wall {
  /** CSS pixels. */
  width: number;
  /** Rows are at most this high. */
  height: number;
  gap: number;
}

/** Panoramas and strips are cropped to these ratios (width by height), so that no row gets absurdly low. */
export const NARROWEST = 0.5;
export const WIDEST = 2.6;

export function clampRatio(ratio: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, ratio));
}

export function justify(ratios: readonly number[], wall: Wall): Row[] {
  const rows: Row[] = [];
  if (wall.width <= 0) return rows;
  let start = 0;
  let sum = 0;
  for (let index = 0; index < ratios.length; index++) {
    sum += clampRatio(ratios[index] ?? 1);
    const room = wall.width - wall.gap * (index - start);
    const height = room / sum;
    const full = height <= wall.height;
    if (!full && index + 1 < ratios.length) continue;
    rows.push(row(ratios, start, index + 1, full ? height : wall.height, full ? room : undefined));
    start = index + 1;
    sum = 0;
  }
  return rows;
}

function row(
  ratios: readonly number[],
  start: number,
  end: number,
  height: number,
  room: number | undefined,
): Row {
  const widths: number[] = [];
  let used = 0;
  let exact = 0;
  for (let index = start; index < end; index++) {
    exact += clampRatio(ratios[index] ?? 1) * height;
    const last = index === end - 1 && room !== undefined;
    const edge = last ? Math.floor(room) : Math.round(exact); // whole pixels, rounding errors not added up
    widths.push(edge - used);
    used = edge;
  }
  return { start, end, height: Math.round(height), widths };
}

/** The picture that an arrow key leads to from *index*; *index* itself at an edge. */
export function neighbour(rows: readonly Row[], index: number, key: string): number {
  const last = (rows.at(-1)?.end ?? 0) - 1;
  switch (key) {
    case "ArrowRight":
      return Math.min(index + 1, last);
    case "ArrowLeft":
      return Math.max(index - 1, 0);
    case "Home":
      return 0;
    case "End":
      return last;
    case "ArrowDown":
    case "ArrowUp": {
      const at = rows.findIndex((r) => index < r.end);
      const here = rows[at];
      const there = rows[at + (key === "ArrowDown" ? 1 : -1)];
      if (!here || !there) return index;
      const middle = centre(here, index - here.start);
      let best = 0;
      for (let n = 1; n < there.widths.length; n++) {
        if (Math.abs(centre(there, n) - middle) < Math.abs(centre(there, best) - middle)) best = n;
      }
      return there.start + best;
    }
    default:
      return index;
  }
}

function centre(row: Row, position: number): number {
  let left = 0;
  for (let n = 0; n < position; n++) left += row.widths[n] ?? 0;
  return left + (row.widths[position] ?? 0) / 2;
}
