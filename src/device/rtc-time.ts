/** Dates and alarms of a clock chip as numbers: proleptic Gregorian, seconds since 1970 without leap seconds. */

const DAY = 86400;

export interface RtcTime {
  readonly second: number;
  readonly minute: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 1 is Sunday. */
  readonly weekday: number;
  readonly day: number;
  /** 1 to 12. */
  readonly month: number;
  readonly year: number;
}

/** The date of a number of seconds. */
export function fromSeconds(seconds: number): RtcTime {
  const date = new Date(seconds * 1000);
  return {
    second: date.getUTCSeconds(), minute: date.getUTCMinutes(), hour: date.getUTCHours(),
    weekday: date.getUTCDay() + 1, day: date.getUTCDate(), month: date.getUTCMonth() + 1, year: date.getUTCFullYear(),
  };
}

/** The seconds of a date; fields that are too large go on into the next one, as in the 32nd of January. The weekday is not looked at. */
export function toSeconds(time: Omit<RtcTime, 'weekday'>): number {
  const date = new Date(0);
  date.setUTCFullYear(time.year, time.month - 1, time.day);
  date.setUTCHours(time.hour, time.minute, time.second);
  return date.getTime() / 1000;
}

/** Of each field the value at which an alarm comes, undefined for any. */
export interface Alarm {
  readonly hour: number | undefined;
  readonly minute: number | undefined;
  readonly second: number | undefined;
}

/** The first second after `seconds` at which an alarm comes; Infinity when no time of a day is like that. */
export function nextAlarm(alarm: Alarm, seconds: number): number {
  const midnight = Math.floor((seconds + 1) / DAY) * DAY;
  const today = secondOfDay(alarm, seconds + 1 - midnight);
  return today < DAY ? midnight + today : midnight + DAY + secondOfDay(alarm, 0);
}

/** The first second of a day, from `from` on, that an alarm names; Infinity when none is left. */
function secondOfDay({ hour, minute, second }: Alarm, from: number): number {
  if ((hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) > 59) return Infinity;
  const [fromHour, fromMinute, fromSecond] = [Math.floor(from / 3600), Math.floor(from / 60) % 60, from % 60];
  for (let h = hour ?? fromHour; h <= (hour ?? 23); h++) {
    if (h < fromHour) return Infinity;
    const sameHour = h === fromHour;
    for (let m = minute ?? (sameHour ? fromMinute : 0); m <= (minute ?? 59); m++) {
      if (sameHour && m < fromMinute) break;
      const sameMinute = sameHour && m === fromMinute;
      const s = second ?? (sameMinute ? fromSecond : 0);
      if (!sameMinute || s >= fromSecond) return h * 3600 + m * 60 + s;
    }
  }
  return Infinity;
}
