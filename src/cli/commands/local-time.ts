/** RFC 3339 with nanoseconds in the time zone of this process, as docker prints the time of an event. */
export function localTime(nanoseconds: number): string {
  const at = new Date(Math.floor(nanoseconds / 1e6));
  const minutes = -at.getTimezoneOffset();
  const shifted = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  const fraction = String(nanoseconds).slice(-9);
  const two = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0');
  const zone = minutes === 0 ? 'Z' : `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
  return `${shifted}.${fraction}${zone}`;
}
