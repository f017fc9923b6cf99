/** native/planner.h in TypeScript: what the front asks and what it is answered. Little endian. */

const magic = 0x32504c44;
const requestHeader = 32;
/** A larger request is not made: the front goes without a planner. */
export const maxRequest = 128 * 1024;

/** Of the file that Node runs: another build has another inode, or was written at another time. */
export interface Build {
  readonly inode: bigint;
  /** st_ctim in nanoseconds. */
  readonly changed: bigint;
}

export interface PlannerRequest {
  /** What the front would run without a planner. */
  readonly build: Build;
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
  const build = { inode: view.getBigUint64(16, true), changed: view.getBigUint64(24, true) };
  const strings = Buffer.from(bytes.subarray(requestHeader)).toString('utf8').split('\0');
  if (strings.length !== 1 + count + variables + 1 || strings.at(-1) !== '') throw new Error('a request of other strings than it says');
  return { build, cwd: strings[0] ?? '', argv: strings.slice(1, 1 + count), env: environment(strings.slice(1 + count, -1)) };
}

/** As getenv(3) reads it: of two values the first; what has no `=` is no variable. */
function environment(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.filter((entry) => entry.includes('=', 1)).toReversed().map((entry) => {
    const at = entry.indexOf('=', 1);
    return [entry.slice(0, at), entry.slice(at + 1)];
  }));
}

/** What {@link parseRequest} reads. */
export function encodeRequest({ build, cwd, argv, env }: PlannerRequest): Uint8Array {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const strings = Buffer.from([cwd, ...argv, ...variables, ''].join('\0'));
  const header = new DataView(new ArrayBuffer(requestHeader));
  [magic, requestHeader + strings.length, argv.length, variables.length].forEach((value, index) => header.setUint32(4 * index, value, true));
  header.setBigUint64(16, build.inode, true);
  header.setBigUint64(24, build.changed, true);
  return Buffer.concat([new Uint8Array(header.buffer), strings]);
}

/** Do it without me, I have done nothing; it is done; run this plan. */
export type AnswerKind = 'cold' | 'done' | 'plan';

/** @param value the exit code, or how many descriptors from 3 on go to the container */
export function encodeAnswer(kind: AnswerKind, value: number, output: string, errors: string): Uint8Array {
  const texts = [Buffer.from(output), Buffer.from(errors)];
  const header = new Uint32Array([['cold', 'done', 'plan'].indexOf(kind), value, texts[0]?.length ?? 0, texts[1]?.length ?? 0]);
  return Buffer.concat([new Uint8Array(header.buffer), ...texts]);
}

/** The whole answer `cold`. */
export const coldAnswer = encodeAnswer('cold', 0, '', '');

/** Bytes of the part of an answer that descriptors go with. */
export const answerHeader = 16;
