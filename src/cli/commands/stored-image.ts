import type { Places } from '../../containers/places.ts';
import { imageEvent } from '../../containers/events.ts';
import type { ImageConfig } from '../../images/config.ts';
import { readImageConfig } from '../../images/image.ts';
import { layerTrees } from '../../images/layers.ts';
import { obtainImage, type PullPolicy } from '../../images/pull.ts';
import { findImageRecord } from '../../images/records.ts';
import { openStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import { familiarReference, parseReference } from '../../registry/reference.ts';
import { parsePlatform } from '../../registry/platform.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Image } from './image.ts';
import { showProgress } from './transfer-progress.ts';

/** How an image that is not here is to be had: the flags of `run`, `create` and `pull`. */
export interface ImageWishes {
  readonly pull: string;
  readonly platform: string | undefined;
  readonly quiet: boolean;
}

const policies: readonly PullPolicy[] = ['missing', 'always', 'never'];

/** An image of the store, pulled if need be with its progress on stderr. @throws DelosError bad-usage, and what obtainImage() throws */
export async function openStoredImage(name: string, places: Places, { pull, platform, quiet }: ImageWishes): Promise<Image> {
  const policy = policies.find((known) => known === pull);
  if (policy === undefined) throw badFlag('pull', pull, 'expected missing, always or never');
  const store = openStore(places.data);
  const known = findImageRecord(store, name);
  const record = await obtainImage(store, name, policy, {
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
    ...(!quiet && { onProgress: showProgress(process.stderr) }),
  }).catch((error: unknown) => {
    if (!(error instanceof DelosError && error.code === 'registry')) throw error;
    throw new DelosError('registry', `image ${name} is not here and cannot be pulled: ${error.message}`, { cause: error });
  });
  // Pulled, or pulled anew; `always` may find what was here.
  if (record.manifest !== known?.manifest) imageEvent(places, 'pull', familiarReference(parseReference(name)));
  const config = readImageConfig(store, record);
  const lowers = layerTrees(store, config.diffIds);
  return {
    reference: name, root: store.driver === 'vfs' ? { kind: 'copy', lowers } : { kind: 'overlay', lowers, kept: true }, folders: lowers,
    stored: { manifest: record.manifest, defaults: everydayDefaults(config), volumes: config.defaults.volumes, exposedPorts: config.defaults.exposedPorts },
  };
}

function everydayDefaults({ defaults }: ImageConfig): NonNullable<Image['stored']>['defaults'] {
  const { entrypoint, cmd, env, workingDir, user, stopSignal, labels, healthcheck, shell } = defaults;
  return {
    env, workingDir, user, labels,
    ...(entrypoint !== undefined && { entrypoint }), ...(cmd !== undefined && { cmd }), ...(stopSignal !== undefined && { stopSignal }),
    ...(healthcheck !== undefined && { healthcheck }), ...(shell !== undefined && { shell }),
  };
}
