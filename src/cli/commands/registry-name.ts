import { DelosError } from '../../lib/errors.ts';
import { parseReference } from '../../registry/reference.ts';
import { shown } from '../../registry/shown.ts';

/** The registry that `login` means: a host with an optional port, or a URL as older versions of docker had it. @throws DelosError bad-usage */
export function registryOf(text: string): string {
  const host = text.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
  try {
    // A word without a dot is no registry in a name of an image, so a path is put behind each.
    const { domain } = parseReference(`${host}/any/name`);
    if (domain.toLowerCase() === host.replace(/^index\./, '').toLowerCase()) return domain;
  } catch {
    // Told below.
  }
  throw new DelosError('bad-usage', `'${shown(text)}' is no registry: expected HOST or HOST:PORT, with a dot, a port, or localhost`);
}
