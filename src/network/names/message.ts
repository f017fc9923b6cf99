/**
 * DNS messages, RFC 1035 section 4, as far as a server for a few names needs them: the header, the question, records with addresses and
 * names. What is forwarded is passed on as it is.
 */

/** Types of records: RFC 1035 3.2.2, RFC 3596; OPT is EDNS, RFC 6891. */
export const recordTypes = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;

/** RFC 1035 4.1.1 */
export const responseCodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** The Internet. */
const classIn = 1;

const headerSize = 12;

/** Of a name with its lengths and the root: RFC 1035 2.3.4. */
const maxNameBytes = 255;
const maxLabelBytes = 63;

export interface Question {
  /** Labels with dots between, in the case it was asked, without the last dot; a dot or a backslash in a label has a backslash in front. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** What of a query a server needs. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly question: Question;
  /** Where the question ends. */
  readonly questionEnd: number;
  /** How large a datagram the client takes: 512, or what EDNS says. */
  readonly size: number;
}

/** These bytes are no DNS message. */
export class MalformedName extends Error {
  override readonly name = 'MalformedName';
}

/**
 * A query with one question.
 * @throws MalformedName when it is not one; a response is none, so that two servers never talk to each other without end
 */
export function readQuery(message: Uint8Array): Query {
  if (message.length < headerSize) throw new MalformedName(`a message of ${message.length} bytes`);
  const view = viewOf(message);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0) throw new MalformedName('a response');
  if (view.getUint16(4) !== 1) throw new MalformedName(`${view.getUint16(4)} questions`);
  const { name, end } = readName(message, headerSize);
  if (end + 4 > message.length) throw new MalformedName('a question that is cut off');
  const question = { name, type: view.getUint16(end), class: view.getUint16(end + 2) };
  const recursionDesired = (flags & 0x100) !== 0;
  return { id: view.getUint16(0), opcode: (flags >> 11) & 15, recursionDesired, question, questionEnd: end + 4, size: sizeOf(message, end + 4) };
}

/** What the OPT record says that the client takes. Records that do not fit are none; then it is 512. */
function sizeOf(message: Uint8Array, from: number): number {
  const view = viewOf(message);
  const count = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  let offset = from;
  try {
    for (let record = 0; record < Math.min(count, 16); record++) {
      const { end } = readName(message, offset);
      if (end + 10 > message.length) return 512;
      if (view.getUint16(end) === recordTypes.OPT) return Math.max(512, view.getUint16(end + 2));
      offset = end + 10 + view.getUint16(end + 8);
    }
  } catch (error) {
    if (!(error instanceof MalformedName)) throw error;
  }
  return 512;
}

/**
 * A name, and where what follows it begins. A pointer has to lead to before the name's own beginning, and each further one to before that: so
 * there are no loops.
 * @throws MalformedName
 */
export function readName(message: Uint8Array, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let [offset, bound, end, length] = [start, start, -1, 1];
  for (;;) {
    const first = message[offset];
    if (first === undefined) throw new MalformedName('a name that is cut off');
    if (first === 0) return { name: labels.join('.'), end: end < 0 ? offset + 1 : end };
    if (first >= 0xc0) {
      const second = message[offset + 1];
      const target = ((first & 0x3f) << 8) | (second ?? 0);
      if (second === undefined || target >= bound) throw new MalformedName('a pointer that does not lead back');
      if (end < 0) end = offset + 2;
      [offset, bound] = [target, target];
      continue;
    }
    length += first + 1;
    if (first > maxLabelBytes || length > maxNameBytes || offset + 1 + first > message.length) throw new MalformedName('a label that is too long');
    labels.push(Buffer.from(message.subarray(offset + 1, offset + 1 + first)).toString('latin1').replace(/[.\\]/g, '\\$&'));
    offset += 1 + first;
  }
}

/** The bytes of a name; undefined when it is too long. */
export function encodeName(name: string): Uint8Array | undefined {
  const written = name === '' ? [] : [...name.matchAll(/((?:\\.|[^.\\])+)(?:\.|$)/gs)];
  const labels = written.map(([, label = '']) => Buffer.from(label.replace(/\\(.)/gs, '$1'), 'latin1'));
  const encoded = Buffer.concat([...labels.flatMap((label) => [Uint8Array.of(label.length), label]), Uint8Array.of(0)]);
  return encoded.length > maxNameBytes || labels.some((label) => label.length > maxLabelBytes) ? undefined : encoded;
}

export interface Answer {
  readonly type: number;
  /** Of A and AAAA the address, of PTR an encoded name. */
  readonly data: Uint8Array;
}

/** How long an answer holds, in seconds: containers come and go, and the way to this server is short. */
const timeToLive = 5;

/**
 * The response of who knows all there is about the name. Answers that do not fit into `size` are left out, and the truncation bit tells
 * the client to come again by TCP.
 */
export function encodeResponse(query: Uint8Array, read: Query, code: number, answers: readonly Answer[], size: number): Uint8Array {
  const { id, opcode, recursionDesired, questionEnd } = read;
  const question = query.subarray(headerSize, questionEnd);
  const records = answers.map(({ type, data }) => {
    const record = new Uint8Array(12 + data.length);
    const view = viewOf(record);
    // The name is that of the question, which begins behind the header.
    view.setUint16(0, 0xc000 | headerSize);
    view.setUint16(2, type);
    view.setUint16(4, classIn);
    view.setUint32(6, timeToLive);
    view.setUint16(10, data.length);
    record.set(data, 12);
    return record;
  });
  let total = headerSize + question.length;
  const fitting = records.filter((record) => (total += record.length) <= size);
  const header = new Uint8Array(headerSize);
  const view = viewOf(header);
  view.setUint16(0, id);
  const [authoritative, available] = [0x400, 0x80];
  const truncated = fitting.length < records.length ? 0x200 : 0;
  view.setUint16(2, 0x8000 | (opcode << 11) | authoritative | truncated | (recursionDesired ? 0x100 : 0) | available | code);
  view.setUint16(4, 1);
  view.setUint16(6, fitting.length);
  return Buffer.concat([header, question, ...fitting]);
}

/** The response to bytes that are no query one can answer, or undefined when there is not even a header to answer to. */
export function encodeFailure(message: Uint8Array, code: number): Uint8Array | undefined {
  if (message.length < headerSize || ((message[2] ?? 0) & 0x80) !== 0) return undefined;
  const header = new Uint8Array(headerSize);
  header.set(message.subarray(0, 2));
  const view = viewOf(header);
  view.setUint16(2, 0x8000 | (viewOf(message).getUint16(2) & 0x7900) | 0x80 | code);
  return header;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
