/** ELF kernels by PVH, Xen's way into a 32-bit entry point (xen/include/public/arch-x86/hvm/start_info.h, docs/misc/pvh.pandoc). */

import type { GuestMemory } from '../engine/memory.ts';
import { struct, put, type FieldType, type Layout } from '../lib/layout.ts';
import type { BootRequest, Loader } from './boot.ts';
import { findNote, isElf, loadSegments, readElf, type Elf } from './elf.ts';
import { badKernel } from './image.ts';
import { latin1, LowMemory, putPiece, putTables } from './low-memory.ts';
import { memoryMap, placeHigh, type MemoryRange } from './memory-map.ts';
import { modulesOf } from './modules.ts';
import { descriptors, GDT, protectedModeAt } from './start-state.ts';

const XEN_ELFNOTE_PHYS32_ENTRY = 18;
const MAGIC = 0x336ec578;

const startInfo = struct('hvm_start_info', {
  magic: 'u32', version: 'u32', flags: 'u32', nr_modules: 'u32', modlist_paddr: 'u64', cmdline_paddr: 'u64', rsdp_paddr: 'u64',
  memmap_paddr: 'u64', memmap_entries: 'u32', reserved: 'u32',
});
const moduleEntry = struct('hvm_modlist_entry', { paddr: 'u64', size: 'u64', cmdline_paddr: 'u64', reserved: 'u64' });
const mapEntry = struct('hvm_memmap_table_entry', { addr: 'u64', size: 'u64', type: 'u32', reserved: 'u32' });

type Values<Name extends string> = Partial<Record<Name, number>>;

function encode<Name extends string>(layout: Layout<Name>, entries: readonly Values<Name>[]): Uint8Array {
  const bytes = new Uint8Array(layout.size * entries.length);
  const view = new DataView(bytes.buffer);
  for (const [index, entry] of entries.entries()) {
    for (const [name, value] of Object.entries(entry) as [Name, number][]) {
      const field: { readonly offset: number; readonly type: FieldType } = layout.fields[name];
      put(view, index * layout.size + field.offset, field.type, value);
    }
  }
  return bytes;
}

/** The address that the kernel's note names, 4 or 8 bytes wide, or nothing. */
function entryOf(elf: Elf): number | undefined {
  const note = findNote(elf, 'Xen', XEN_ELFNOTE_PHYS32_ENTRY);
  if (note === undefined) return undefined;
  const entry = note.length >= 8 ? note.u64(0, "PVH's entry") : note.u32(0, "PVH's entry");
  if (entry > 0xffffffff) throw badKernel(`the kernel's PVH entry, 0x${entry.toString(16)}, is beyond 4 GiB`);
  return entry;
}

type ModuleValues = Values<'paddr' | 'size' | 'cmdline_paddr'>;

/** Modules from the top of memory down, behind one another in the list. */
function placeModules(request: BootRequest, memory: GuestMemory, low: LowMemory, ranges: readonly MemoryRange[], floor: number): ModuleValues[] {
  let limit = 0x1_0000_0000;
  return modulesOf(request).map(({ bytes, commandLine }) => {
    const paddr = placeHigh(ranges, bytes.length, floor, limit, 'a module');
    memory.bytes(paddr, bytes.length).set(bytes);
    limit = paddr;
    return { paddr, size: bytes.length, cmdline_paddr: commandLine === '' ? 0 : low.put(latin1(commandLine, 4095), 'the command line') };
  });
}

export const pvh: Loader = {
  name: 'ELF by PVH',
  matches: (kernel) => isElf(kernel) && entryOf(readElf(kernel)) !== undefined,
  load(request, memory) {
    const elf = readElf(request.kernel);
    const entry = entryOf(elf);
    if (entry === undefined) throw badKernel('the kernel has no note with a PVH entry');
    const ranges = memoryMap(memory, request.acpi?.tables);
    const end = loadSegments(elf, memory, ranges);
    putTables(memory, request.acpi?.tables ?? []);
    putPiece(memory, { address: GDT, bytes: descriptors(32) }, 'descriptors');
    const low = new LowMemory(memory, 0x6000, 0x9fc00);
    const modules = placeModules(request, memory, low, ranges, end);
    const info = encode(startInfo, [{
      magic: MAGIC, version: 1, nr_modules: modules.length, rsdp_paddr: request.acpi?.rsdp ?? 0, memmap_entries: ranges.length,
      modlist_paddr: modules.length === 0 ? 0 : low.put(encode(moduleEntry, modules), 'the list of modules'),
      cmdline_paddr: low.put(latin1(request.commandLine, 0xffff), 'the command line'),
      memmap_paddr: low.put(encode(mapEntry, ranges.map(({ address, size, type }) => ({ addr: address, size, type }))), 'the memory map'),
    }]);
    return protectedModeAt(entry, { rbx: low.put(info, 'the start information') });
  },
};
