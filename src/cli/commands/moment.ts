import { badFlag } from '../../everyday/refusal.ts';
import { parseDuration } from '../../vocabulary/units.ts';

/** A time, as seconds since 1970, RFC 3339, or how long ago; in milliseconds. @throws DelosError bad-usage */
export function moment(flag: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const at = Date.parse(text);
    if (!Number.isNaN(at)) return at;
  }
  if (/^[\d.]+[a-zµ]/.test(text)) return Date.now() - parseDuration(text);
  throw badFlag(flag, text, 'expected a time such as 2026-11-21T10:00:00Z or 10m');
}
