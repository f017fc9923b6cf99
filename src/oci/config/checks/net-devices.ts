import { refused } from '../refuse.ts';
import { hasNamespace, lacksNamespace, type Check } from './check.ts';

/** config-linux.md "Network devices": somewhere to move them to, and no two under one name there. */
export const checkNetDevices: Check = (config) => {
  const devices = Object.entries(config.linux?.netDevices ?? {});
  if (devices.length > 0 && !hasNamespace(config, 'network')) {
    throw lacksNamespace(['linux', 'netDevices'], 'network');
  }
  const taken = new Set<string>();
  for (const [outside, { name = outside }] of devices) {
    if (taken.has(name)) throw refused(['linux', 'netDevices', outside], `is the second device to be named ${name}`);
    taken.add(name);
  }
};
