// node fuzz/boot.ts [--seconds N] [--seed N]: kernels of every kind, damaged and made up. Each is loaded or refused as a bad kernel; nothing else is
// thrown. Exits with 1 and the seed when it is otherwise.
import { boot } from '../src/boot/catalogue.ts';
import { readElfCode } from '../src/boot/elf-code.ts';
import { loadFirmware } from '../src/boot/firmware.ts';
import { loadFlat } from '../src/boot/flat.ts';
import { DelosError } from '../src/lib/errors.ts';
import { elfWithCode } from '../test/support/elf-code.ts';
import { guestMemory } from '../test/support/guest-memory.ts';
import { bzImage, elf, MEBIBYTE, multibootCode } from '../test/support/kernel-image.ts';
import { campaign } from './support/campaign.ts';
import { generator, pick, type Random } from './support/generator.ts';

const good: readonly Uint8Array[] = [
  bzImage(), bzImage({ xloadflags: 0, version: 0x20a }), elf({ pvhEntry: 0x100000 }), elf({ wide: false, pvhEntry: 0x100000 }),
  elf({ wide: false, code: multibootCode(3) }),
  elf({ code: multibootCode(2) }),
  multibootCode(0x10003, [0x200000, 0x200000, 0, 0x201000, 0x200020]),
];
const memories = [guestMemory([0, 32 * MEBIBYTE]), guestMemory([0, 65536], [0x100000, MEBIBYTE]), guestMemory([0, MEBIBYTE], [0xffff0000, 65536, true])];
const values = [0, 1, 2, 3, 0x7f, 0x80, 0xff];
/** Where the headers are; a damage there is worth more than one in the code. */
const headers = [64, 128, 200, 0x1f0, 0x270];

function damaged(random: Random, whole = pick(good, random), ends = headers): Uint8Array {
  const bytes = random(16) === 0 ? Uint8Array.from({ length: random(2000) }, () => random(256)) : Uint8Array.from(whole);
  for (let damage = random(6); damage > 0 && bytes.length > 0; damage--) {
    const at = random(Math.min(bytes.length, pick(ends, random)));
    bytes.fill(pick([...values, random(256)], random), at, at + pick([1, 1, 2, 4, 8], random));
  }
  return random(4) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
}

function tryKernel(random: Random): void {
  const memory = pick(memories, random);
  const kernel = damaged(random);
  const tables = [{ address: pick([0xe0000, 0x1f00000, 0xfffffff0], random), bytes: new Uint8Array(random(9000)) }];
  const more = { ...(random(4) === 0 ? { acpi: { tables, rsdp: 0 } } : {}), ...(random(3) === 0 ? { initrd: new Uint8Array(random(3 * MEBIBYTE)) } : {}) };
  switch (random(8)) {
    case 0: return void loadFlat(kernel, random(0x7fffffff), memory);
    case 1: return void loadFirmware(new Uint8Array(random(2) === 0 ? 65536 * random(3) : random(70000)), memory);
    // Its section headers are at its end.
    case 2: return void readElfCode(damaged(random, elfWithCode(), [64, 600]));
    default: return void boot({ kernel, commandLine: 'x'.repeat(random(3000)), ...more }, memory);
  }
}

let loaded = 0;
await campaign('boot', (runs) => `${runs} kernels, ${loaded} loaded, the rest refused`, (seed) => {
  try {
    tryKernel(generator(seed));
    loaded++;
  } catch (error) {
    if (!(error instanceof DelosError) || error.code !== 'bad-kernel' || error.message.includes('\n')) throw error;
  }
});
