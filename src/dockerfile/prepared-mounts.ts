import fs from 'node:fs';
import path from 'node:path';
import { lockFile, tryLockFile, type FileLock } from '../images/file-lock.ts';
import type { ImageStore } from '../images/store.ts';
import { DelosError } from '../lib/errors.ts';
import { digestOf, hexOf, type Digest } from '../registry/digest.ts';
import { shown } from '../registry/shown.ts';
import { Copy } from './copy.ts';
import { LayerView } from './layer-view.ts';
import type { Access, RunMount } from './run-mount.ts';
import type { Source } from './source-files.ts';
import { contentDigest, TreeArchive } from './tree-archive.ts';

/** What a command finds at a place besides its root. */
export type CommandMount = { readonly target: string } & (
  | { readonly kind: 'folder'; readonly source: string; readonly readonly: boolean }
  /** What an archive holds as `tree`, unpacked for this command alone. */
  | { readonly kind: 'tree'; readonly tar: AsyncIterable<Uint8Array>; readonly readonly: boolean }
  | { readonly kind: 'file'; readonly content: Uint8Array; readonly access: Access }
  | { readonly kind: 'tmpfs'; readonly sizeBytes?: number }
);

/** The mounts of one command, until it has ended. */
export interface PreparedMounts extends Disposable {
  readonly mounts: readonly CommandMount[];
  /** Variables that hold secrets. */
  readonly env: readonly string[];
}

/** Where the mounts of a build come from. */
export interface MountSources {
  readonly store: ImageStore;
  readonly signal?: AbortSignal;
  /** The files of a stage or an image, or of the context. */
  source(name: string | undefined): Promise<Source & Disposable>;
  /** What `--secret` says. */
  secret(id: string): Uint8Array | undefined;
}

/** What a mount adds to the key of its step: a bind what its files hold, a cache and a secret nothing but their names. */
export async function keyOfMount(sources: MountSources, mount: RunMount): Promise<unknown> {
  if (mount.type !== 'bind') return mount;
  using opened = await sources.source(mount.from);
  return [mount.target, mount.readonly, await contentDigest(itemsOf(opened, mount.source), sources.signal) satisfies Digest];
}

/** @throws DelosError not-found for a secret that is required, and for files that are not there */
export async function prepareMounts(sources: MountSources, wanted: readonly RunMount[]): Promise<PreparedMounts> {
  const held: Disposable[] = [];
  const release = (): void => held.toReversed().forEach((one) => one[Symbol.dispose]());
  try {
    const mounts: CommandMount[] = [];
    const env: string[] = [];
    for (const mount of wanted) {
      if (mount.type === 'secret') {
        const content = secretOf(sources, mount);
        if (content !== undefined && mount.target !== undefined) mounts.push({ kind: 'file', target: mount.target, content, access: mount.access });
        if (content !== undefined && mount.variable !== undefined) env.push(`${mount.variable}=${Buffer.from(content).toString()}`);
      } else if (mount.type === 'tmpfs') mounts.push({ kind: 'tmpfs', ...mount });
      else if (mount.type === 'cache') mounts.push(await cacheOf(sources, mount, held));
      else {
        const opened = await sources.source(mount.from);
        held.push(opened);
        mounts.push({ kind: 'tree', target: mount.target, readonly: mount.readonly, tar: new TreeArchive().bytes(itemsOf(opened, mount.source)) });
      }
    }
    return { mounts, env, [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Of a folder what it holds, and a file itself, under the name `tree`. */
async function* itemsOf(source: Source, word: string): ReturnType<Copy['items']> {
  using nothing = new LayerView([]);
  yield* new Copy(source, nothing, { sources: [word], documents: [], downloads: [], target: '/tree', workingDir: '/', unpacks: false, created: new Date(0) }).items();
}

function secretOf(sources: MountSources, { id, required }: Extract<RunMount, { type: 'secret' }>): Uint8Array | undefined {
  const content = sources.secret(id);
  if (content === undefined && required) throw new DelosError('not-found', `the secret ${shown(id)} is required: give it with --secret id=${shown(id)},src=FILE`);
  return content;
}

/** Where the folders of `type=cache` are. */
export function cachesFolder({ root }: ImageStore): string {
  return path.join(root, 'build-cache');
}

async function cacheOf(sources: MountSources, mount: Extract<RunMount, { type: 'cache' }>, held: Disposable[]): Promise<CommandMount> {
  const { id, sharing, target, readonly, access: { mode, uid, gid } } = mount;
  const place = path.join(cachesFolder(sources.store), hexOf(digestOf(id)));
  fs.mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
  const { folder, lock } = sharing === 'private' ? ownCache(place) : { folder: place, lock: sharing === 'locked' ? await lockFile(`${place}.lock`, sources) : undefined };
  if (lock !== undefined) held.push(lock);
  if (!fs.existsSync(folder)) {
    fs.mkdirSync(folder, { recursive: true });
    fs.chmodSync(folder, mode);
    if (process.geteuid?.() === 0) fs.chownSync(folder, uid, gid);
  }
  return { kind: 'folder', source: folder, target, readonly };
}

/** The first that no other command is at. */
function ownCache(place: string): { readonly folder: string; readonly lock: FileLock } {
  for (let number = 0; ; number++) {
    const folder = number === 0 ? place : `${place}-${number}`;
    const lock = tryLockFile(`${folder}.lock`);
    if (lock !== undefined) return { folder, lock };
  }
}
