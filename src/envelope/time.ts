/** Times as text: one spelling of RFC 3339, UTC with milliseconds. spec/envelope.md, "Form". */

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/;

const DAY = 86_400_000;
let lastDay = { start: NaN, text: '' };

/** Spells whole milliseconds since 1970, up to the year 9999. */
export function timeText(time: number): string {
  const start = time - (time % DAY);
  // A message has three times, nearly always of one day: its spelling is kept, for most of what a Date costs.
  if (lastDay.start !== start) lastDay = { start, text: new Date(start).toISOString().slice(0, 11) };
  const seconds = Math.floor((time - start) / 1000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${lastDay.text}${clock}.${String((time % 1000) + 1000).slice(1)}Z`;
}

function two(number: number): string {
  return number < 10 ? `0${String(number)}` : String(number);
}

/** Reads what {@link timeText} writes; `null` for every other text, and for a day or a second that does not exist. */
export function timeFromText(text: string): number | null {
  const parts = TIME.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0] = parts;
  // Date.UTC takes month 13 for January of the next year, and years below 100 for 1900 and on.
  const exists =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysOf(year, month) &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return exists && year >= 1970 ? Date.UTC(year, month - 1, day, hour, minute, second, millisecond) : null;
}

function daysOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2) return leap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
