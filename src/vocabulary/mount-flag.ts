import { DelosError } from '../lib/errors.ts';
import { splitPair } from './key-value.ts';
import { parseBoolean, parseSize } from './units.ts';

/** What `-v`, `--mount` and `--tmpfs` ask for, before it is known what the host has. */
export interface MountFlag {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** bind: a path, absolute or relative to the caller. volume: its name, or absent for an anonymous one. tmpfs: absent. */
  readonly source?: string;
  /** Absolute path inside the container. */
  readonly target: string;
  readonly readonly: boolean;
  /** mount(8) options beyond the defaults of the type: a propagation, `size=`, `mode=`, `noexec`. */
  readonly options: readonly string[];
  /** Bind without the mounts below the source. */
  readonly nonRecursive?: boolean;
  /** `-v` makes a missing source directory, `--mount` refuses it. */
  readonly createSource?: boolean;
  /** volume: nothing of the image is copied into a new one. */
  readonly nocopy?: boolean;
  /** SELinux: `z` for a label that containers share, `Z` for one of its own. */
  readonly relabel?: 'z' | 'Z';
}

const propagations: readonly string[] = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

function invalid(flag: string, text: string, reason: string): DelosError {
  return new DelosError('bad-usage', `invalid ${flag} '${text}': ${reason}`);
}

function checkTarget(flag: string, text: string, target: string): void {
  if (!target.startsWith('/')) throw invalid(flag, text, `the path inside the container must be absolute`);
  if (/^\/+$/.test(target)) throw invalid(flag, text, `the path inside the container cannot be /`);
}

/** `-v [SOURCE:]TARGET[:OPTIONS]`: a source with a slash is a path, and so are `.` and `..`; any other is the name of a volume. Throws `bad-usage`. */
export function parseVolume(text: string): MountFlag {
  const parts = text.split(':');
  const [first = '', second = '', modes = ''] = parts;
  if (parts.length > 3 || parts.includes('')) throw invalid('--volume', text, 'expected [SOURCE:]TARGET[:OPTIONS]');
  if (parts.length === 1) {
    checkTarget('--volume', text, first);
    return { type: 'volume', target: first, readonly: false, options: [] };
  }
  checkTarget('--volume', text, second);
  const isPath = first.includes('/') || first === '.' || first === '..';
  if (!isPath && !/^[a-zA-Z0-9][\w.-]+$/.test(first)) throw invalid('--volume', text, `'${first}' is neither a path nor a volume name`);
  const base = { type: isPath ? 'bind' : 'volume', source: first, target: second, createSource: isPath } as const;
  return { ...base, ...volumeModes(text, modes) };
}

function volumeModes(text: string, modes: string): Pick<MountFlag, 'readonly' | 'options' | 'relabel' | 'nocopy'> {
  const result: { readonly: boolean; options: string[]; relabel?: 'z' | 'Z'; nocopy?: boolean } = { readonly: false, options: [] };
  for (const mode of modes === '' ? [] : modes.split(',')) {
    if (mode === 'ro') result.readonly = true;
    else if (mode === 'z' || mode === 'Z') result.relabel = mode;
    else if (propagations.includes(mode)) result.options.push(mode);
    else if (mode === 'nocopy') result.nocopy = true;
    // Consistency hints for Docker Desktop ask for what is so already.
    else if (!['rw', 'cached', 'delegated', 'consistent'].includes(mode)) throw invalid('--volume', text, `unknown option '${mode}'`);
  }
  return result;
}

/** Options a tmpfs may be given, besides those with a value. */
const tmpfsWords: ReadonlySet<string> = new Set([
  'rw', 'ro', 'exec', 'noexec', 'suid', 'nosuid', 'dev', 'nodev', 'sync', 'async', 'dirsync', 'atime', 'noatime', 'diratime', 'nodiratime',
  'relatime', 'norelatime', 'strictatime', 'nostrictatime', ...propagations,
]);

/** `--tmpfs /x[:size=1m,mode=1777,exec]`. Sizes become bytes. Throws `bad-usage`. */
export function parseTmpfs(text: string): MountFlag {
  const colon = text.indexOf(':');
  const target = colon < 0 ? text : text.slice(0, colon);
  checkTarget('--tmpfs', text, target);
  const words = colon < 0 || colon === text.length - 1 ? [] : text.slice(colon + 1).split(',');
  const options = words.filter((word) => word !== 'ro').map((word) => {
    const { key, value } = splitPair(word);
    if (key === 'size' && value !== undefined) return value.endsWith('%') ? word : `size=${parseSize(value)}`;
    if (key === 'mode' && /^[0-7]{3,4}$/.test(value ?? '')) return word;
    if (['uid', 'gid', 'nr_inodes', 'nr_blocks'].includes(key) && /^\d+k?$/.test(value ?? '')) return word;
    if (value === undefined && tmpfsWords.has(key)) return word;
    throw invalid('--tmpfs', text, `'${word}' is no option of a tmpfs`);
  });
  return { type: 'tmpfs', target, readonly: words.includes('ro'), options };
}

/** `--mount type=bind,source=/a,target=/b,readonly`, a line of CSV; the type is by default `volume`. Throws `bad-usage`. */
export function parseMount(text: string): MountFlag {
  const draft: MountDraft = { type: 'volume', options: [] };
  for (const field of splitCsv(text)) {
    const { key, value } = splitPair(field);
    const read = Object.hasOwn(mountKeys, key) ? mountKeys[key] : undefined;
    if (read === undefined) throw invalid('--mount', text, `unknown key '${key}'`);
    try {
      read(draft, value);
    } catch (error) {
      throw error instanceof DelosError ? invalid('--mount', text, error.message) : error;
    }
  }
  return finishMount(text, draft);
}

interface MountDraft {
  type: MountFlag['type'];
  source?: string;
  target?: string;
  readonly?: boolean;
  nonRecursive?: boolean;
  nocopy?: boolean;
  options: string[];
}

function needed(value: string | undefined): string {
  if (value === undefined || value === '') throw new DelosError('bad-usage', 'a value is missing');
  return value;
}

function oneOf<T extends string>(value: string | undefined, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new DelosError('bad-usage', `'${value ?? ''}' is none of ${known.join(', ')}`);
  return found;
}

type ReadKey = (draft: MountDraft, value: string | undefined) => void;

const readSource: ReadKey = (draft, value) => { draft.source = needed(value); };
const readTarget: ReadKey = (draft, value) => { draft.target = needed(value); };
const readReadonly: ReadKey = (draft, value) => { draft.readonly = value === undefined || parseBoolean(value); };

const mountKeys: Readonly<Record<string, ReadKey>> = {
  type: (draft, value) => { draft.type = oneOf(value, ['bind', 'volume', 'tmpfs']); },
  source: readSource,
  src: readSource,
  target: readTarget,
  destination: readTarget,
  dst: readTarget,
  readonly: readReadonly,
  ro: readReadonly,
  'bind-propagation': (draft, value) => { draft.options.push(oneOf(value, propagations)); },
  'bind-nonrecursive': (draft, value) => { draft.nonRecursive = value === undefined || parseBoolean(value); },
  'bind-recursive': (draft, value) => {
    const asked = oneOf(value, ['enabled', 'disabled', 'writable', 'readonly']);
    draft.nonRecursive = asked === 'disabled';
    if (asked === 'readonly') draft.options.push('rro');
  },
  'tmpfs-size': (draft, value) => { draft.options.push(`size=${parseSize(needed(value))}`); },
  'tmpfs-mode': (draft, value) => {
    if (!/^[0-7]{1,4}$/.test(value ?? '')) throw new DelosError('bad-usage', 'tmpfs-mode is an octal number such as 1777');
    draft.options.push(`mode=${value}`);
  },
  'volume-nocopy': (draft, value) => { draft.nocopy = value === undefined || parseBoolean(value); },
};

function finishMount(text: string, draft: MountDraft): MountFlag {
  const { type, source, target, options, nonRecursive, nocopy } = draft;
  if (target === undefined) throw invalid('--mount', text, 'target is missing');
  checkTarget('--mount', text, target);
  if (type === 'bind' && source === undefined) throw invalid('--mount', text, 'a bind mount needs a source');
  if (type === 'tmpfs' && source !== undefined) throw invalid('--mount', text, 'a tmpfs has no source');
  const foreign = splitCsv(text).find((field) => /^(bind|tmpfs|volume)-/.test(field) && !field.startsWith(type));
  if (foreign !== undefined) throw invalid('--mount', text, `'${splitPair(foreign).key}' does not go with type ${type}`);
  return {
    type, target, options, readonly: draft.readonly === true,
    ...(source === undefined ? {} : { source }),
    ...(nonRecursive === undefined ? {} : { nonRecursive }),
    ...(nocopy === undefined ? {} : { nocopy }),
  };
}

/** One record of CSV: fields with commas are quoted, quotes in them doubled. */
function splitCsv(text: string): string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,"]*))(,|$)/y;
  for (;;) {
    const match = field.exec(text);
    if (match === null) throw invalid('--mount', text, 'a quote is not closed, or not around the whole field');
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return fields;
  }
}
