import fs from 'node:fs';
import { badFlag } from '../../everyday/refusal.ts';
import { DelosError } from '../../lib/errors.ts';

/** The most that a secret may hold: docker's limit, in bytes. */
const MOST = 500 * 1024;

/**
 * The values of `--secret`, by id: `id=NAME,src=FILE`, `id=NAME,env=VARIABLE`, or `id=NAME` for the variable of that name if there is one,
 * else the file.
 * @throws DelosError bad-usage, io, too-large
 */
export function readSecrets(values: readonly string[]): Map<string, Uint8Array> {
  return new Map(values.map(readSecret));
}

function readSecret(value: string): readonly [id: string, content: Uint8Array] {
  const fields = new Map(value.split(',').map((field) => {
    const [key = '', ...rest] = field.split('=');
    return [key === 'source' ? 'src' : key, rest.join('=')] as const;
  }));
  for (const key of fields.keys()) if (!['id', 'src', 'env', 'type'].includes(key)) throw badFlag('secret', value, 'expected id=NAME,src=FILE or id=NAME,env=VARIABLE');
  const id = fields.get('id') ?? '';
  if (id === '') throw badFlag('secret', value, 'expected an id');
  const type = fields.get('type');
  const source = fields.get('src');
  const variable = fields.get('env') ?? (type === 'env' ? source ?? id : undefined) ?? (source === undefined && type !== 'file' && process.env[id] !== undefined ? id : undefined);
  if (variable === undefined) return [id, readFile(source ?? id)];
  const content = process.env[variable];
  if (content === undefined) throw badFlag('secret', value, `there is no variable ${variable} in the environment`);
  return [id, Buffer.from(content)];
}

function readFile(file: string): Uint8Array {
  try {
    const content = fs.readFileSync(file);
    if (content.length > MOST) throw new DelosError('too-large', `--secret: ${file} has more than ${MOST} bytes`);
    return content;
  } catch (cause) {
    if (cause instanceof DelosError) throw cause;
    throw new DelosError('io', `--secret: ${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
