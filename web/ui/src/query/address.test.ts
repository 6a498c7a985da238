import { describe, expect, it } from "vitest";

import { read, step, write } from "./address";

describe("address", () => {
  it("survives a reload: what is written is read again", () => {
    for (const query of ["dog on a beach", 'place:"São Paulo" 50%', "a&b=c?#/", "雪"]) {
      for (const open of [null, 7]) {
        expect(read(write({ query, open }).slice(1))).toEqual({ query, open });
      }
    }
  });

  it("is the bare page without a query", () => {
    expect(write({ query: "", open: null })).toBe("/");
  });

  it("ignores an id that is none", () => {
    for (const id of ["x", "-1", "0", "1e9", "99999999999999999999"]) {
      expect(read(`?id=${id}`).open).toBeNull();
    }
  });
});

describe("step", () => {
  it("makes one entry of a text typed with pauses", () => {
    expect(step("", "do", false)).toBe("push");
    expect(step("do", "dog", true)).toBe("replace");
    expect(step("dog", "dog", true)).toBe("stay");
  });

  it("starts another after Enter", () => {
    expect(step("dog", "cat", false)).toBe("push");
  });
});
