import { errnoName } from '../abi/names.ts';
import { abis, syscallNumbers, X32_SYSCALL_BIT } from '../abi/syscall-numbers.ts';
import type { Abi } from '../abi/syscall-numbers.ts';
import { printClassic } from '../bpf/classic-print.ts';
import type { PrintedInstruction } from '../bpf/classic-print.ts';
import * as action from './action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from './architecture.ts';
import { dataOffset } from './data.ts';

/** A program of compileSeccomp as text: each line an instruction, with what its constant means. */
export function printSeccomp(program: Uint8Array): string {
  return printClassic(program, new Notes().note);
}

/** What a filter's return value means: `SECCOMP_RET_ERRNO EPERM`. */
export function actionText(returned: number): string {
  const kind = (returned & ~action.SECCOMP_RET_DATA) >>> 0;
  const data = returned & action.SECCOMP_RET_DATA;
  const name = Object.entries(action).find(([key, value]) => key.startsWith('SECCOMP_RET_') && key !== 'SECCOMP_RET_DATA' && value === kind)?.[0];
  if (!name) return `0x${returned.toString(16)}`;
  if (kind === action.SECCOMP_RET_ERRNO) return `${name} ${errnoName(data)}`;
  return data === 0 ? name : `${name} ${data}`;
}

/** Notes on the lines in their order: which ABI a number belongs to follows from the ABI that was asked for before. */
class Notes {
  #asked: Abi = 'x86_64';
  #abi: Abi = 'x86_64';

  readonly note = ({ kind, k, word }: PrintedInstruction): string | undefined => {
    if (kind === 'return') return actionText(k);
    if (kind === 'load') return this.#load(k);
    if (kind !== 'compare' || word === undefined) return undefined;
    if (word === dataOffset.arch) return this.#arch(k);
    return word === dataOffset.nr ? this.#name(k) : undefined;
  };

  #load(offset: number): string {
    if (offset === dataOffset.arch) return 'arch';
    if (offset >= dataOffset.args) return `args[${(offset - dataOffset.args) >> 3}] ${offset & 4 ? 'high' : 'low'}`;
    this.#abi = this.#asked;
    this.#asked = 'x86_64';
    return 'nr';
  }

  #arch(value: number): string {
    if (value === AUDIT_ARCH_I386) this.#asked = 'i386';
    return value === AUDIT_ARCH_I386 ? 'AUDIT_ARCH_I386' : value === AUDIT_ARCH_X86_64 ? 'AUDIT_ARCH_X86_64' : 'another architecture';
  }

  #name(value: number): string | undefined {
    if (value < X32_SYSCALL_BIT) return nameOf(value, this.#abi);
    const name = nameOf(value - X32_SYSCALL_BIT, 'x32');
    return name === undefined ? undefined : `x32 ${name}`;
  }
}

function nameOf(number: number, abi: Abi): string | undefined {
  const column = abis.indexOf(abi);
  for (const [name, numbers] of syscallNumbers()) if (numbers[column] === number) return name;
  return undefined;
}
