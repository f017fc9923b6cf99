import { readFileSync } from 'node:fs';

/**
 * The modules that have to be loaded for `wanted`, each after those that it needs. Names are with underscores, as in lsmod.
 * @param files where each module's file is, by name
 * @throws Error when a module needs one that is not there
 */
export function loadOrder(wanted: readonly string[], files: ReadonlyMap<string, string>): string[] {
  const order = new Set<string>();
  const add = (name: string, by: string): void => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`kernel module ${name}, which ${by} needs, is not in the kernel's package`);
    if (order.has(name)) return;
    for (const needed of dependencies(readFileSync(file))) add(needed, name);
    order.add(name);
  };
  for (const name of wanted) add(name, 'the machine');
  return [...order];
}

/** The modules that a module names in its .modinfo section as `depends=a,b`. */
export function dependencies(module: Buffer): string[] {
  const key = Buffer.from('\0depends=');
  const start = module.indexOf(key);
  if (start < 0) return [];
  const text = module.toString('latin1', start + key.length, module.indexOf(0, start + key.length));
  return text.split(',').filter((name) => name !== '').map(moduleName);
}

/** A module's name from that of its file: `virtio_pci` for `a/virtio-pci.ko`. */
export function moduleName(file: string): string {
  return file.replace(/^.*\//, '').replace(/\.ko$/, '').replaceAll('-', '_');
}
