import { describe, expect, it } from "vitest";

import { chips, without } from "./chips";

const texts = (query: string) => chips(query).map((chip) => chip.text);

describe("chips", () => {
  it("finds fields, exclusions and dates, and leaves plain words alone", () => {
    expect(texts("dog on a beach place:Rome -cat 2019..2021 type=video")).toEqual([
      "place:Rome",
      "-cat",
      "2019..2021",
      "type=video",
    ]);
  });

  it("keeps a quoted value together", () => {
    expect(texts('place:"New York" snow')).toEqual(['place:"New York"']);
    expect(texts("place='New York' snow")).toEqual(["place='New York'"]);
  });

  it("does not take a phrase for a filter", () => {
    expect(texts('"red car" well-known half-')).toEqual([]);
  });

  it("offers none where words hang together", () => {
    expect(texts("(dog OR cat) place:Rome")).toEqual([]);
    expect(texts("dog OR place:Rome")).toEqual([]);
  });

  it("survives any half-typed text", () => {
    for (const text of ["", " ", "-", '"', "place:", 'place:"Ro', ":", "a:b:c", "''"]) {
      expect(() => chips(text)).not.toThrow();
    }
  });
});

describe("without", () => {
  it("takes one filter out and closes the gap", () => {
    const query = "dog  place:Rome 2019";
    const [place] = chips(query);
    expect(place && without(query, place)).toBe("dog 2019");
  });

  it("leaves nothing when it was all there was", () => {
    const [only] = chips("type:video");
    expect(only && without("type:video", only)).toBe("");
  });
});
