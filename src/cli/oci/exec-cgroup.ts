import { DelosError } from '../../lib/errors.ts';

/**
 * `exec --cgroup`: `path` once for all controllers, or `controller[,controller]:path` any number of times.
 * @returns paths below the container's cgroup by controller; the empty key stands for all
 * @throws DelosError bad-usage
 */
export function parseExecCgroups(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.flatMap((text) => {
    const [first = '', second, ...more] = text.split(':');
    if (more.length > 0) throw invalid(text, 'expected [controller:]path');
    if (second !== undefined) return first.split(',').map((controller): [string, string] => [checked(controller, text), second]);
    if (texts.length > 1) throw invalid(text, 'given more than once, each must name its controller');
    return [['', first]];
  }));
}

function checked(controller: string, text: string): string {
  if (!/^[\w=]+$/.test(controller)) throw invalid(text, 'expected a controller before the colon');
  return controller;
}

function invalid(text: string, expected: string): DelosError {
  return new DelosError('bad-usage', `--cgroup ${JSON.stringify(text)}: ${expected}`);
}
