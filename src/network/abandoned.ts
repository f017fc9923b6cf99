import fs from 'node:fs';
import { deleteLink, type Link } from '../netlink/link.ts';
import { batch, deleteTable } from '../netlink/nftables/table.ts';
import { allLinks, attempt, unless, type Sockets } from './sockets.ts';

/** A bridge that waits for its next container, and that nobody would miss. */
interface Abandoned {
  readonly link: Link;
  /** Of its folder's devices and table. */
  readonly tag: string;
}

/**
 * Removes bridges without a port that nobody will ever use or remove: their folder is gone, as after a test with a folder of its own; and one of
 * another folder that has the name of a bridge that is to be made. Who wants it again makes it again.
 * @param wanted the name
 */
export function removeAbandoned({ route, filter }: Pick<Sockets, 'route' | 'filter'>, wanted?: string): void {
  const links = allLinks(route);
  const abandoned = links.flatMap((link): Abandoned[] => {
    const [, tag, folder] = /^delos:([0-9a-f]{6}):network \S+(?: (\/.*))?$/.exec(link.alias ?? '') ?? [];
    if (tag === undefined || link.kind !== 'bridge' || links.some(({ master }) => master === link.index)) return [];
    return link.name === wanted || (folder !== undefined && !fs.existsSync(folder)) ? [{ link, tag }] : [];
  });
  for (const { link } of abandoned) attempt(route, deleteLink(link.index, link.name), 'ENODEV');
  for (const tag of new Set(abandoned.map((one) => one.tag))) {
    const isUsed = links.some((link) => link.alias?.startsWith(`delos:${tag}:`) === true && !abandoned.some((one) => one.link === link));
    if (!isUsed) unless(['ENOENT'], () => filter.batch(batch, [deleteTable(`delos-${tag}`)]));
  }
}
