import fs from 'node:fs';
import * as capability from '../../src/abi/capability.ts';
import type { ConfigChange, TestConfig } from './bundle.ts';

/** Every capability that this process can pass on: what `--privileged` gives. */
export const privileged: ConfigChange = (config) => {
  const bounding = BigInt(`0x${/^CapBnd:\s+(\w+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  const all = Object.entries(capability).filter(([, number]) => bounding & (1n << BigInt(number))).map(([name]) => name);
  return { ...config, process: { ...config.process, capabilities: { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] } } };
};

/** The user namespace of a container whose root is nobody on the host: ids from 100000 on. */
export const inUserNamespace: ConfigChange = (config) => ({
  ...config,
  linux: {
    ...config.linux,
    namespaces: [...config.linux.namespaces, { type: 'user' }],
    uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  },
});

/** One change after the other. */
export function all(...changes: readonly ConfigChange[]): ConfigChange {
  return (config) => changes.reduce<unknown>((changed, change) => change(changed as TestConfig), config);
}
