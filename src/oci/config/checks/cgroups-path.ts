import { mismatch } from '../refuse.ts';
import type { Check } from './check.ts';

/** config-linux.md "Cgroups path": it stays below the place it is relative to. */
export const checkCgroupsPath: Check = ({ linux }) => {
  const path = linux?.cgroupsPath;
  if (path?.split('/').includes('..')) throw mismatch(['linux', 'cgroupsPath'], 'a path without ".."', path);
};
