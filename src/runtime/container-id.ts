import { DelosError } from '../lib/errors.ts';

const grammar = /^[\w+.-]+$/;
/** In characters; a longer one could not be the name of a folder anyway. */
const longest = 1024;

/** The id becomes the name of a folder, so what a path could be made of is refused. @throws DelosError bad-id */
export function checkId(id: string): void {
  if (id === '') throw new DelosError('bad-id', 'container id cannot be empty');
  if (!grammar.test(id) || id === '.' || id === '..' || id.length > longest) {
    throw new DelosError('bad-id', `invalid container ID format: expected 1 to ${longest} letters, digits or any of _ + . -, found ${JSON.stringify(id.slice(0, 80))}`);
  }
}
