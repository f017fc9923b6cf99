import { mismatch } from '../refuse.ts';
import type { Check } from './check.ts';

/** config-linux.md "Devices": all but a fifo have numbers. */
export const checkDevices: Check = ({ linux }) => {
  for (const [i, device] of (linux?.devices ?? []).entries()) {
    for (const property of ['major', 'minor'] as const) {
      if (device.type !== 'p' && device[property] === undefined) {
        throw mismatch(['linux', 'devices', i, property], `a ${property} number for a device of type ${device.type}`, undefined);
      }
    }
  }
};
