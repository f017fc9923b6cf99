/** A program that runs a multiboot image in v86: IMAGE jit|interpreter. What the guest sends to its serial port goes to stdout. */
import fs from 'node:fs';
import path from 'node:path';
import { V86 } from 'v86';
import { root } from '../../tools/files.ts';
import { guestMemory } from './machines.ts';

const [image = '', way] = process.argv.slice(2);
const machine = new V86({
  wasm_path: path.join(root, 'node_modules/v86/build/v86.wasm'), multiboot: { buffer: Uint8Array.from(fs.readFileSync(image)).buffer },
  memory_size: guestMemory, vga_memory_size: 2 ** 20, autostart: true, disable_jit: way === 'interpreter', disable_keyboard: true, disable_mouse: true, disable_speaker: true,
});
machine.add_listener('serial0-output-byte', (byte: number) => void fs.writeSync(1, Uint8Array.of(byte)));
