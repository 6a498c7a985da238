/** The filters in a query, as pieces of its text that can be taken out again. Decides nothing: the server parses. */

export interface Chip {
  /** As typed: `place:Rome`, `-dog`, `2019..2021`. */
  text: string;
  /** Where it stands in the query, end exclusive. */
  start: number;
  end: number;
}

const WORD = /-?(?:[a-z]+[:=])?(?:"[^"]*"|'[^']*'|[^\s"'])+/g;
const FILTER = /^-|^[a-z]+[:=]|^\d{4}(?:-\d\d){0,2}(?:\.\.(?:\d{4}(?:-\d\d){0,2})?)?$|^\.\.\d{4}/;
/** Where words hang together, taking one out would change what the others mean. */
const JOINED = /[()]|(?:^|\s)(?:OR|AND|NOT)(?:\s|$)/;

export function chips(query: string): Chip[] {
  if (JOINED.test(query)) return [];
  return [...query.matchAll(WORD)]
    .filter(([text]) => text.length > 1 && FILTER.test(text))
    .map(({ 0: text, index }) => ({ text, start: index, end: index + text.length }));
}

export function without(query: string, chip: Chip): string {
  return `${query.slice(0, chip.start)} ${query.slice(chip.end)}`.replace(/\s+/g, " ").trim();
}
