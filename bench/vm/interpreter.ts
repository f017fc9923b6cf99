/** A program that runs a multiboot IMAGE on the interpreter alone, without regions. What the guest sends to its serial port goes to stdout. */
import fs from 'node:fs';
import { guestOnInterpreter } from './interpreted.ts';

const [image = ''] = process.argv.slice(2);
using machine = guestOnInterpreter(image, (byte) => void fs.writeSync(1, Uint8Array.of(byte)));
await machine.run();
