import { quoted } from '../printable.ts';
import type { Check } from './check.ts';

/** config.md "Mounts" wants absolute destinations; relative ones are common enough that runc takes them from `/`. */
export const checkMounts: Check = ({ mounts = [] }, warn) => {
  for (const [i, { destination }] of mounts.entries()) {
    if (!destination.startsWith('/')) warn(`mounts[${i}].destination: ${quoted(destination)} is not absolute; taken from "/"`);
  }
};
