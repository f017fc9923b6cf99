// node fuzz/netlink.ts [--seconds N] [--seed N]: bytes that came as netlink answers or as DNS messages, real ones damaged and made up ones. Each
// must be read, or refused as malformed; nothing else is thrown, nothing takes long, and a name that was read encodes to the same name. Exits with 1 and the
// seed when it is otherwise.
import { readAddress } from '../src/netlink/address.ts';
import { Attributes, encodeAttributes, nested, text, u32 } from '../src/netlink/attribute.ts';
import { newVeth, readLink } from '../src/netlink/link.ts';
import { decodeMessages, encodeMessage, encodeRequest } from '../src/netlink/message.ts';
import { readNeighbour } from '../src/netlink/neighbour.ts';
import { counter, masquerade, meta } from '../src/netlink/nftables/expression.ts';
import * as nftables from '../src/netlink/nftables/read.ts';
import { newElements } from '../src/netlink/nftables/set.ts';
import { newRule, newTable } from '../src/netlink/nftables/table.ts';
import { readAcknowledgement } from '../src/netlink/refusal.ts';
import { readRoute } from '../src/netlink/route.ts';
import { readRule } from '../src/netlink/rule.ts';
import { encodeFailure, encodeName, encodeResponse, readName, readQuery } from '../src/network/names/message.ts';
import { pick, randomFrom, type Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

const query = Buffer.from('1234010000010000000000010377656203636f6d000001000100002904d0000000000000', 'hex');
const compressed = Buffer.from('123481000001000100000000037777770365786100000100010377777703657861c00cc010c000', 'hex');

/** Messages as they are. */
const good: readonly Uint8Array[] = [
  encodeRequest(newVeth({ name: 'one', up: true, mtu: 1400, mac: new Uint8Array(6) }, { name: 'two' }), 1, 0),
  encodeRequest(newTable('t', new Uint8Array(16)), 1, 0),
  encodeRequest(newRule('t', 'c', [meta(7), counter(), masquerade()], 'a comment'), 1, 0),
  ...newElements('t', 's', [{ key: new Uint8Array(12), data: new Uint8Array(8) }, { key: new Uint8Array(4), end: true }]).map((request) => encodeRequest(request, 1, 0)),
  encodeMessage({ type: 2, flags: 0x300, sequence: 1, port: 0, payload: Buffer.concat([new Uint8Array(20), encodeAttributes([text(1, 'no'), u32(2, 4), nested(4, u32(1, 1))])]) }),
  query, compressed,
];

function damaged(random: Random): Uint8Array {
  const bytes = random(8) === 0 ? Uint8Array.from({ length: random(200) }, () => random(256)) : Uint8Array.from(pick(random, good));
  for (let damage = random(8); damage > 0 && bytes.length > 0; damage--) bytes[random(bytes.length)] = pick(random, [0, 1, 3, 4, 0x7f, 0x80, 0xc0, 0xff, random(256)]);
  return bytes.subarray(0, random(4) === 0 ? random(bytes.length + 1) : bytes.length);
}

const readers = [readLink, readAddress, readRoute, readNeighbour, readRule, readAcknowledgement, nftables.readTable, nftables.readRule, nftables.readElements];

function readNetlink(bytes: Uint8Array): void {
  const messages = refusable(() => decodeMessages(bytes)) ?? [{ type: 0, flags: 0x200, sequence: 0, port: 0, payload: bytes }];
  for (const message of messages) for (const read of readers) refusable(() => read(message));
  refusable(() => new Attributes(bytes).entries.map(([type]) => new Attributes(bytes).text(type)));
}

function readNames(bytes: Uint8Array): void {
  for (let start = 0; start <= bytes.length; start++) {
    const found = refusable(() => readName(bytes, start));
    if (found === undefined) continue;
    const encoded = encodeName(found.name);
    if (found.end > bytes.length || encoded === undefined || readName(encoded, 0).name !== found.name) throw new Error(`the name ${JSON.stringify(found.name)} does not come back`);
  }
  const read = refusable(() => readQuery(bytes));
  encodeFailure(bytes, 1);
  if (read === undefined) return;
  const response = encodeResponse(bytes, read, 0, [{ type: 1, data: new Uint8Array(4) }], read.size);
  if (response.length > Math.max(read.size, read.questionEnd) || (response[2] ?? 0) < 0x80) throw new Error('a response that is too long or none');
}

/** What is read, or undefined when it is refused as it should be. */
function refusable<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && (error.name === 'MalformedMessage' || error.name === 'MalformedName')) return undefined;
    throw error;
  }
}

await campaign('netlink', (runs) => `${runs} messages, each read or refused`, (seed) => {
  const bytes = damaged(randomFrom(seed));
  readNetlink(bytes);
  readNames(bytes);
});
