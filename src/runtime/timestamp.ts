/** Now, in RFC 3339 and UTC, as finely as Node's clock counts: `2026-11-21T11:36:58.054004Z`. Zeros at the end are left out, as Go does. */
export function timestamp(): string {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  const seconds = new Date(microseconds / 1000).toISOString().slice(0, 'YYYY-MM-DDThh:mm:ss'.length);
  const fraction = String(microseconds % 1_000_000).padStart(6, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}
