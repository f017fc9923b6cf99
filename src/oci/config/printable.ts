/** The most characters of a document a message repeats. */
const MOST = 60;

/** What JSON leaves as it is, and a terminal or a log would act on: C1 controls, line separators, direction marks. */
const ACTIVE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A foreign string in double quotes, on one line, harmless to a terminal, cut to {@link MOST} characters. */
export function quoted(value: string): string {
  const cut = value.length > MOST ? `${value.slice(0, MOST)}…` : value;
  return JSON.stringify(cut).replace(ACTIVE, escape);
}

/** What a message says it found: the value itself where it is short, else its kind. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return `${value}, which is not exact: integers beyond 2^53 are written with all their digits`;
  }
  const words = String(value);
  return words.length > MOST ? `${words.slice(0, MOST)}…` : words;
}
