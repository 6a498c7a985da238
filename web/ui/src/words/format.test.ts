import { describe, expect, it } from "vitest";

import { bytes, counted, day, duration, left, rate, sentence, shutter, time } from "./format";

describe("format", () => {
  it("shows the wall-clock time of the place, whatever the zone of the browser", () => {
    expect(time("2019-07-03T14:05:00+09:00")).toBe(time("2019-07-03T14:05:00"));
    expect(time("2019-07-03T14:05:00")).toMatch(/14:05|2:05/);
  });

  it("names the days that a person names, over months and the changes of the clock", () => {
    const now = new Date(2026, 2, 30, 0, 5).getTime(); // in Europe, the hour was lost on the 29th
    expect(day(new Date(2026, 2, 30, 0, 1).getTime(), now)).toBe("Today");
    expect(day(new Date(2026, 2, 29, 23, 59).getTime(), now)).toBe("Yesterday");
    expect(day(new Date(2026, 2, 29, 0, 0).getTime(), now)).toBe("Yesterday");
    expect(day(new Date(2026, 2, 28, 12, 0).getTime(), now)).toMatch(/28/);
    expect(day(new Date(2026, 2, 31, 0, 0).getTime(), now)).toMatch(/31/); // another clock's
  });

  it("says how much in units that a person reads", () => {
    expect([bytes(1), bytes(999), bytes(4_210), bytes(38_000_000)]).toEqual([
      "1 B",
      "999 B",
      "4.2 kB",
      "38 MB",
    ]);
    expect([counted(1, "photo"), counted(0, "photo"), counted(2, "photo")]).toEqual([
      "1 photo",
      "0 photos",
      "2 photos",
    ]);
  });

  it("writes durations as a player does", () => {
    expect([duration(7_400), duration(65_000), duration(3_725_000)]).toEqual([
      "0:07",
      "1:05",
      "1:02:05",
    ]);
  });

  it("guesses the time left only as finely as it can", () => {
    expect([left(10), left(60), left(600), left(7200), left(200_000)]).toEqual([
      "less than a minute left",
      "about 1 minute left",
      "about 10 minutes left",
      "about 2 hours left",
      "about 2 days left",
    ]);
  });

  it("names slow rates by the minute", () => {
    expect([rate(42.3), rate(4.21), rate(0.2)]).toEqual([
      "42 a second",
      "4.2 a second",
      "12 a minute",
    ]);
  });

  it("writes exposures as a camera does", () => {
    expect([shutter(0.004), shutter(2)]).toEqual(["1/250 s", "2 s"]);
  });

  it("makes a sentence of a bare clause and leaves a sentence alone", () => {
    expect(sentence("picture search is not available")).toBe("Picture search is not available.");
    expect(sentence("Found by words only.")).toBe("Found by words only.");
  });
});
