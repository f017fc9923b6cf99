import { DelosError } from '../lib/errors.ts';
import { shown } from './shown.ts';

/** What an image runs on, in Go's words: `linux`, `amd64`, and for arm a variant as `v7`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64', x86_64: 'amd64', 'x86-64': 'amd64', ia32: '386', i386: '386', i686: '386', aarch64: 'arm64', armhf: 'arm', armel: 'arm', ppc64el: 'ppc64le',
};
const part = /^[A-Za-z0-9_.-]+$/;

/** The platform of this process. */
export function hostPlatform(): Platform {
  return normal({ os: process.platform, architecture: process.arch });
}

/**
 * `linux/amd64`, `linux/arm/v7`, or an architecture alone, of Linux then.
 * @throws DelosError bad-usage
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (parts.length > 3 || parts.some((word) => !part.test(word))) {
    throw new DelosError('bad-usage', `invalid platform '${shown(text)}': expected os/architecture or os/architecture/variant, such as linux/amd64`);
  }
  const [os, architecture, variant] = parts.length === 1 ? ['linux', ...parts] : parts;
  return normal({ os: os as string, architecture: architecture as string, ...(variant !== undefined && { variant }) });
}

function normal({ os, architecture, variant }: Platform): Platform {
  const named = Object.hasOwn(architectures, architecture.toLowerCase()) ? architectures[architecture.toLowerCase()] as string : architecture.toLowerCase();
  const usual = named === 'arm64' && (variant === 'v8' || variant === '8') ? undefined : variant?.toLowerCase();
  return { os: os.toLowerCase(), architecture: named, ...(usual !== undefined && usual !== '' && { variant: usual }) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/**
 * How well something made for `made` serves `wanted`: 2 as asked, from 1 usable, 0 not at all. Without a variant any will do; an arm v7
 * runs what was made for v6 and v5, the higher the better.
 */
export function platformMatch(made: Platform, wanted: Platform): number {
  const [a, b] = [normal(made), normal(wanted)];
  if (a.os !== b.os || a.architecture !== b.architecture) return 0;
  if (a.variant === b.variant) return 2;
  if (a.variant === undefined || b.variant === undefined) return 1;
  const [has, takes] = [a.variant, b.variant].map((variant) => Number(/^v(\d)$/.exec(variant)?.[1])) as [number, number];
  return a.architecture === 'arm' && has < takes ? 1 + has / 10 : 0;
}
