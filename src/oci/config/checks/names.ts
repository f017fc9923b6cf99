import { mismatch } from '../refuse.ts';
import { hasNamespace, lacksNamespace, type Check } from './check.ts';

/** __NEW_UTS_LEN of <linux/utsname.h>, in bytes. */
const LONGEST_NAME = 64;

/** Host name and domain name: sethostname(2) fits them, and would rename the host without a namespace of its own. */
export const checkNames: Check = (config) => {
  for (const property of ['hostname', 'domainname'] as const) {
    const name = config[property];
    if (name === undefined) continue;
    if (Buffer.byteLength(name) > LONGEST_NAME) throw mismatch([property], `at most ${LONGEST_NAME} bytes`, name);
    if (!hasNamespace(config, 'uts')) throw lacksNamespace([property], 'uts');
  }
};
