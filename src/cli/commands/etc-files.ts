import fs from 'node:fs';
import path from 'node:path';
import { fileOf, type Places } from '../../containers/places.ts';
import type { RunOptions } from '../../everyday/flags.ts';
import { addedHosts, isBridged } from '../../everyday/network.ts';
import { hostsText } from '../../network/files.ts';
import { shortId } from '../../vocabulary/names.ts';
import type { Image } from './image.ts';

/**
 * The files of /etc that depend on the container's network: its own name and loopback, or the host's as they are. Those of a network
 * with a bridge are written again when the addresses are known. Gives where each is, by its path inside. A bundle brings its own.
 */
export function writeEtc(places: Places, options: RunOptions, image: Image): Record<string, string> {
  if (image.bundle !== undefined) return {};
  const { network } = options;
  if (network !== 'none' && !isBridged(network)) return image.reference === 'host' ? {} : sharedFiles();
  const hostname = options.hostname ?? shortId(options.id);
  const texts = {
    hostname: `${hostname}\n`,
    hosts: hostsText([{ address: '127.0.1.1', names: [hostname] }, ...addedHosts(options).map(({ name, address }) => ({ address, names: [name] }))]),
    ...(isBridged(network) && { 'resolv.conf': '' }),
  };
  fs.mkdirSync(fileOf(places, options.id, 'etc'), { mode: 0o755 });
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => {
    const file = fileOf(places, options.id, 'etc', name);
    fs.writeFileSync(file, text, { mode: 0o644 });
    return [path.posix.join('/etc', name), file];
  }));
}

function sharedFiles(): Record<string, string> {
  return Object.fromEntries(['/etc/hosts', '/etc/resolv.conf'].filter((file) => fs.existsSync(file)).map((file) => [file, fs.realpathSync(file)]));
}
