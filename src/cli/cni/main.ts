import fs from 'node:fs';
import { cniMain } from './plugin.ts';

async function main(): Promise<void> {
  const { code, output } = await cniMain(process.env, () => fs.readFileSync(0));
  if (output !== undefined) fs.writeSync(1, `${JSON.stringify(output)}\n`);
  process.exitCode = code;
}

void main();
