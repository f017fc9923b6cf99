/** native/planner.h in TypeScript: what the front asks and what it is answered. Little endian. */

const magic = 0x31504c44;
const requestHeader = 16;
/** A larger request is not made: the front goes without a planner. */
export const maxRequest = 128 * 1024;

export interface PlannerRequest {
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How much has to be there for the whole request; undefined while that is not known. @throws Error for what is no request */
export function requestSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < requestHeader) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = view.getUint32(4, true);
  if (view.getUint32(0, true) !== magic || size < requestHeader || size > maxRequest) throw new Error('no request of this version');
  return size;
}

/** @throws Error for a request whose strings are not as many as it says */
export function parseRequest(bytes: Uint8Array): PlannerRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const count = view.getUint32(8, true);
  const variables = view.getUint32(12, true);
  const strings = Buffer.from(bytes.subarray(requestHeader)).toString('utf8').split('\0');
  if (strings.length !== 1 + count + variables + 1 || strings.at(-1) !== '') throw new Error('a request of other strings than it says');
  const env = Object.fromEntries(strings.slice(1 + count, -1).map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  return { cwd: strings[0] ?? '', argv: strings.slice(1, 1 + count), env };
}

/** Do it without me; it is done; run this plan. */
export type AnswerKind = 'cold' | 'done' | 'plan';

/** @param value the exit code, or how many descriptors from 3 on go to the container */
export function encodeAnswer(kind: AnswerKind, value: number, output: string, errors: string): Uint8Array {
  const texts = [Buffer.from(output), Buffer.from(errors)];
  const header = new Uint32Array([['cold', 'done', 'plan'].indexOf(kind), value, texts[0]?.length ?? 0, texts[1]?.length ?? 0]);
  return Buffer.concat([new Uint8Array(header.buffer), ...texts]);
}

/** Bytes of the part of an answer that descriptors go with. */
export const answerHeader = 16;
