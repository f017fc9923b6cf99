// node fuzz/plan.ts [--seconds N] [--seed N]: random plans. Each must encode to bytes whose every pointer lies inside, explain
// itself, and read back the refusal of any of its steps; and of a plan whose bytes were damaged, as its processes could, the report must
// be read or refused as ours, never with an access outside. Exits with 1 and the seed when it does not.
import { errnoName } from '../src/abi/names.ts';
import { syscalls, type SyscallName } from '../src/abi/syscalls.ts';
import { addressOf, type Block, buffer, bytes, Cell, cell, cStrings } from '../src/plan/block.ts';
import { base, encode, sharedSize, stepSize, type EncodedPlan } from '../src/plan/encode.ts';
import { explainJson, explainStep, explainText } from '../src/plan/explain.ts';
import { readRefusal, readStatus, wasTaken } from '../src/plan/refusal.ts';
import { call, jump, Label, type Accept, type Arg, type Item, type Plan } from '../src/plan/step.ts';
import { pick, randomFrom, type Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

const names = (Object.keys(syscalls) as SyscallName[]).filter((name) => name !== 'jump' && name !== 'trap');
const texts = ['', '/', 'a', '/proc/self', 'ü\u{1f600}', 'x'.repeat(3000)];
const numbers = [0, 1, -1, -100, 0xffffffff, 2 ** 40, -(2 ** 33), 1n << 63n, -1n];

interface Stock {
  readonly cells: readonly Cell[];
  readonly blocks: readonly Block[];
  readonly labels: readonly Label[];
}

function randomStock(random: Random): Stock {
  const blocks = [...Array.from({ length: 4 }, (_, index) => buffer(8 * (1 + random(40)), `buffer ${index}`)), cStrings(texts), bytes(new Uint8Array(random(5000)), 'bytes')];
  for (let links = random(6); links > 0; links--) pick(random, blocks.slice(0, 4)).link(0, random(2) === 0 ? pick(random, blocks) : addressOf(new Cell('inner', pick(random, blocks.slice(0, 4)), 0)));
  return { blocks, cells: [cell('fd', -1), cell('other'), new Cell('narrow', pick(random, blocks.slice(0, 4)), 4, 4)], labels: Array.from({ length: 4 }, (_, index) => new Label(`label ${index}`)) };
}

function randomArg(random: Random, { cells, blocks, labels }: Stock): Arg {
  switch (random(6)) {
    case 0: return pick(random, texts);
    case 1: return pick(random, cells);
    case 2: return addressOf(pick(random, cells));
    case 3: return pick(random, blocks);
    case 4: return pick(random, labels);
    default: return pick<number | bigint>(random, numbers);
  }
}

function randomStep(random: Random, stock: Stock): Item {
  const name = pick(random, names);
  const args = Array.from({ length: syscalls[name].length - 1 }, () => randomArg(random, stock));
  const accept: Accept = {};
  for (let entries = random(5); entries > 0; entries--) accept[pick(random, ['ENOENT', 'EPERM', 'EIO', 'any'] as const)] = random(2) === 0 ? 'next' : pick(random, stock.labels);
  return call(name, args, pick(random, ['/mounts/0', 'a reason', '']), {
    ...(random(2) === 0 && { out: pick(random, stock.cells) }), ...(random(3) === 0 && { want: random(10) }), accept,
    ...(name === 'clone3' && { child: pick(random, stock.labels) }),
  });
}

function randomPlan(random: Random): Plan {
  const stock = randomStock(random);
  const items: Item[] = Array.from({ length: 1 + random(60) }, () => randomStep(random, stock));
  for (const label of stock.labels) items.splice(random(items.length + 1), 0, label);
  const [first] = stock.labels;
  return { sections: [{ name: 'one', items: [...items, call('exit_group', [0], 'end')] }, { name: 'two', items: [first ? jump(first, 'again') : call('exit_group', [1], 'end')] }] };
}

/** Whatever a step says is an address lies in the plan. */
function checkPointers({ steps, bytes: image }: EncodedPlan): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  steps.forEach((step, index) => {
    const at = sharedSize + index * stepSize;
    step.args.forEach((arg, number) => {
      if (typeof arg === 'number' || typeof arg === 'bigint' || arg instanceof Label) return;
      const address = Number(view.getBigUint64(at + 8 + 8 * number, true)) - base;
      if (address < 40 || address > image.length) throw new Error(`step ${index}, argument ${number}: an address outside of the plan`);
    });
  });
}

function tryOne(seed: number): void {
  const random = randomFrom(seed);
  const plan = randomPlan(random);
  const encoded = encode(plan);
  checkPointers(encoded);
  if (explainJson(plan).length !== encoded.steps.length || explainText(plan) === '') throw new Error('a step is not explained');
  const index = random(encoded.steps.length);
  const step = encoded.steps[index];
  const image = encoded.bytes.slice();
  const view = new DataView(image.buffer);
  view.setUint32(24, index + 1, true);
  view.setInt32(28, 13, true);
  const refusal = readRefusal(image);
  if (step === undefined || refusal?.call !== step.call || refusal.why !== step.why || refusal.errno !== errnoName(13)) throw new Error(`${step && explainStep(step)} came back as ${refusal?.text}`);
  for (let damage = 1 + random(20); damage > 0; damage--) {
    const at = random(2) === 0 ? 8 + random(72) : random(image.length);
    view.setUint8(at, random(256));
  }
  readDamaged(image.subarray(0, random(3) === 0 ? random(image.length) : image.length));
}

function readDamaged(image: Uint8Array): void {
  for (const read of [wasTaken, readStatus, readRefusal]) {
    try {
      read(image);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('assertion: '))) throw error;
    }
  }
}

await campaign('plan', (runs) => `${runs} plans, none read outside`, tryOne);
