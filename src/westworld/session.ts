import { KVM_API_VERSION, BOOT_ADDRESS } from './kvm.ts';
import { Ledger } from './ledger.ts';
import { link } from './link.ts';
import { greeting } from './narratives.ts';

/** The document's session (section 3.0) ends without this line, which kvm_close prints all the same. */
const CLOSING = '[KVM] Closing device\n';

/**
 * The document's session, line by line: one host of 1 MB that says "Hi!". Its "Loaded 15 bytes" is 16 here: the code with the newline that it shows.
 * @returns whether all of its five tests passed
 */
export function session(write: (text: string) => void): boolean {
  let said = '';
  const ledger = new Ledger();
  const program = link({}, { ledger, write: (text) => {
    said += text;
    if (text !== CLOSING) write(text);
  } });
  const dolores = program.ford_creates_host(1);
  const implanted = program.ford_implants_memories(dolores, Uint8Array.from(greeting), BOOT_ADDRESS);
  write(`\n=== Dolores wakes up ===\n[KVM] Running vCPU 0 from RIP=0x${BOOT_ADDRESS.toString(16)}\nGuest output: `);
  const lived = program.dolores_wakes_up(dolores);
  const passed = [dolores?.ford?.api_version === KVM_API_VERSION, implanted === 0, said.includes('Hi!\n'), lived === 0 && dolores?.conscious === false];
  program.ford_retires_host(dolores);
  passed.push(ledger.leaks.length === 0);
  const count = passed.filter((one) => one).length;
  write(`\n=== All hosts retired ===\nTests passed: ${count}/${passed.length}\n`);
  return count === passed.length;
}
