/** Figures and dates in words. The wall-clock time of a picture is shown as it was there, in no other time zone. */

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short", timeZone: "UTC" });
const LOCAL_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const LOCAL_TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const NUMBER = new Intl.NumberFormat();

function wallClock(taken: string): Date {
  return new Date(`${taken.slice(0, 19)}Z`);
}

export const longDate = (taken: string) => DATE.format(wallClock(taken));
export const shortDate = (taken: string) => SHORT.format(wallClock(taken));
export const time = (taken: string) => TIME.format(wallClock(taken));

/** Of a moment, as this browser's clock shows it: what people did here, not when a picture was taken. */
export const clock = (ms: number) => LOCAL_TIME.format(ms);

/** The day of a moment: Today, Yesterday, or its date. */
export function day(ms: number, now = Date.now()): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const ago = Math.round((midnight - new Date(ms).setHours(0, 0, 0, 0)) / 86_400_000);
  return ["Today", "Yesterday"][ago] ?? LOCAL_DAY.format(ms);
}

export const number = (value: number) => NUMBER.format(value);

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ""}`;
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, n) => (n ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** Time left, as roughly as it is known. */
export function left(seconds: number): string {
  if (seconds < 45) return "less than a minute left";
  if (seconds < 90 * 60)
    return `about ${counted(Math.max(1, Math.round(seconds / 60)), "minute")} left`;
  if (seconds < 36 * 3600) return `about ${counted(Math.round(seconds / 3600), "hour")} left`;
  return `about ${counted(Math.round(seconds / 86400), "day")} left`;
}

export function rate(perSecond: number): string {
  if (perSecond >= 10) return `${Math.round(perSecond)} a second`;
  if (perSecond >= 1) return `${perSecond.toFixed(1)} a second`;
  return `${Math.max(1, Math.round(perSecond * 60))} a minute`;
}

export function shutter(seconds: number): string {
  return seconds < 0.4 ? `1/${Math.round(1 / seconds)} s` : `${Number(seconds.toFixed(1))} s`;
}

/** The server's words as a sentence of their own. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
