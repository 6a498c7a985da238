import { describe, expect, it } from "vitest";

import { justify, neighbour } from "./justify";

const wall = { width: 1000, height: 200, gap: 8 };

function total(widths: number[]): number {
  return widths.reduce((a, b) => a + b, 0);
}

describe("justify", () => {
  const ratios = Array.from({ length: 137 }, (_, n) => 0.6 + ((n * 37) % 17) / 10);

  it("shows every picture once, in order", () => {
    const rows = justify(ratios, wall);
    expect(
      rows.flatMap((r) => Array.from({ length: r.end - r.start }, (_, n) => r.start + n)),
    ).toEqual(ratios.map((_, n) => n));
  });

  it("fills every row but the last to the pixel, and never higher than asked", () => {
    const rows = justify(ratios, wall);
    for (const row of rows.slice(0, -1)) {
      expect(total(row.widths) + wall.gap * (row.widths.length - 1)).toBe(1000);
      expect(row.height).toBeLessThanOrEqual(wall.height);
      expect(row.height).toBeGreaterThan(70);
    }
  });

  it("does not blow up a short last row", () => {
    expect(justify([1.5], wall)).toEqual([{ start: 0, end: 1, height: 200, widths: [300] }]);
  });

  it("crops a panorama instead of making a ribbon", () => {
    const [row] = justify([12], { ...wall, width: 390 });
    expect(row?.height).toBe(150);
  });

  it("lays out nothing without a width or pictures", () => {
    expect(justify(ratios, { ...wall, width: 0 })).toEqual([]);
    expect(justify([], wall)).toEqual([]);
  });

  it("is linear: a hundred thousand pictures take well under a second", () => {
    const many = Array.from({ length: 100_000 }, (_, n) => ratios[n % ratios.length] ?? 1);
    const began = performance.now();
    expect(justify(many, wall).at(-1)?.end).toBe(100_000);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe("neighbour", () => {
  const rows = justify([1, 1, 1, 1, 1, 2.5, 2.4, 1], { width: 500, height: 100, gap: 0 });

  it("goes on to the next row with the right arrow", () => {
    expect(neighbour(rows, 4, "ArrowRight")).toBe(5);
  });

  it("goes to the picture below, by its middle", () => {
    expect(rows.map((r) => r.end)).toEqual([5, 8]);
    expect(neighbour(rows, 0, "ArrowDown")).toBe(5);
    expect(neighbour(rows, 3, "ArrowDown")).toBe(6);
    expect(neighbour(rows, 7, "ArrowUp")).toBe(4);
  });

  it("stays at the edges", () => {
    expect(neighbour(rows, 0, "ArrowUp")).toBe(0);
    expect(neighbour(rows, 0, "ArrowLeft")).toBe(0);
    expect(neighbour(rows, 7, "ArrowRight")).toBe(7);
    expect(neighbour(rows, 6, "ArrowDown")).toBe(6);
  });

  it("jumps to both ends", () => {
    expect(neighbour(rows, 3, "Home")).toBe(0);
    expect(neighbour(rows, 3, "End")).toBe(7);
  });
});
