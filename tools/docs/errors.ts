import { errorCodes } from '../../src/lib/errors.ts';
import { table } from './table.ts';

/** docs/reference/errors.md */
export function errorsPage(): string {
  return [
    '# Error codes',
    'What a `DelosError` carries in `code`. Its message says the same for the case at hand: what, where, what was expected.',
    table(['code', 'meaning'], Object.entries(errorCodes).map(([code, meaning]) => [`\`${code}\``, meaning])),
  ].join('\n\n');
}
