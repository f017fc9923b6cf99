import * as errno from '../abi/errno.ts';
import { getSystemErrorMessage } from 'node:util';

/** `No such file or directory` for ENOENT. */
export function errnoText(name: string): string {
  const number = errno[name as keyof typeof errno];
  if (number === undefined) return name;
  const text = getSystemErrorMessage?.(-number) ?? name;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
