import { join } from 'node:path';
import { find, root } from '../files.ts';
import type { Layout } from '../../src/lib/layout.ts';
import { X32_SYSCALL_BIT, abis, syscallNumbers } from '../../src/abi/syscall-numbers.ts';
import type { Abi } from '../../src/abi/syscall-numbers.ts';
import { syscalls } from '../../src/abi/syscalls.ts';

/** Something that src/abi says and that a C header either says too, denies, or does not mention. */
export interface Fact {
  /** Where src says it, for a person: `mount.ts: MS_NOSUID`. */
  source: string;
  /** The constant expression in C. */
  expression: string;
  /** Its value, or 'undefined' when the header must not define that macro. */
  expected: number | bigint | 'undefined';
}

/** Calls of the executor itself, not of the kernel, begin here (native/plan.h). */
const executorCalls = 0x10000;

/** Of these C has a union of which a layout is one view, so its size is not the union's. */
const unions = new Set(['bpf_attr']);

/** Structs of which a layout names the beginning, or one member of a union inside. */
const views = new Set(['bpf_attr', 'kvm_run', 'kvm_xcrs']);

const constantName = /^_*[A-Z][A-Z0-9_]*$/;

function isLayout(value: unknown): value is Layout {
  return typeof value === 'object' && value !== null && 'name' in value && 'size' in value && 'fields' in value;
}

/** What one exported value states: a constant its number, a layout its size and where each member is. */
export function factsOf(file: string, name: string, value: unknown): Fact[] {
  const source = `${file}: ${name}`;
  if ((typeof value === 'number' || typeof value === 'bigint') && constantName.test(name)) return [{ source, expression: name, expected: value }];
  return isLayout(value) ? layoutFacts(source, value) : [];
}

function layoutFacts(source: string, layout: Layout): Fact[] {
  const type = `${unions.has(layout.name) ? 'union' : 'struct'} ${layout.name}`;
  const members = Object.entries(layout.fields).map(([member, { offset }]) => {
    return { source: `${source}.${member}`, expression: `__builtin_offsetof(${type}, ${member})`, expected: offset };
  });
  if (views.has(layout.name)) return members;
  return [...members, { source: `${source}, its size`, expression: `sizeof(${type})`, expected: layout.size }];
}

/** Every constant and layout that a file of src/abi exports, and the numbers of the calls that plans use. */
export async function exportedFacts(): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const path of find('src/abi/*.ts').filter((file) => !file.endsWith('.test.ts'))) {
    const exported = (await import(join(root, path))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) facts.push(...factsOf(path.replace('src/abi/', ''), name, value));
  }
  for (const [name, [number]] of Object.entries(syscalls)) {
    if (number < executorCalls) facts.push({ source: `syscalls.ts: ${name}`, expression: `__NR_${name}`, expected: number });
  }
  return facts;
}

/** The column of one ABI in the table of all system calls. */
export function columnFacts(abi: Abi): Fact[] {
  const bit = abi === 'x32' ? X32_SYSCALL_BIT : 0;
  return [...syscallNumbers()].map(([name, numbers]) => {
    const number = numbers[abis.indexOf(abi)] as number;
    return { source: `syscall-numbers.ts (${abi}): ${name}`, expression: `__NR_${name}`, expected: number < 0 ? 'undefined' : number + bit };
  });
}
