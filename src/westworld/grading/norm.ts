import type { Solution } from '../hypervisor-sim.ts';

/** `norm` of the document's spec.json. */
export const allowedFunctions = ['malloc', 'calloc', 'free', 'mmap', 'munmap', 'memcpy', 'memset', 'printf', 'putchar'] as const;
export const forbiddenFunctions = ['open', 'close', 'ioctl', 'fork', 'exec'] as const;

/** exec has many spellings; the rest are the ways in which a TypeScript file gets at the system without them. */
const forbidden = new RegExp(
  String.raw`(?<![\w$])(?:(${forbiddenFunctions.join('|')}|exec[lv]p?e?|execFile|\w+Sync|spawn|require|import|eval|fetch)\s*\(|(process|globalThis)(?![\w$]))`, 'g');

/** Strings and comments say what they like. */
const notCode = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;
const imports = /(?:^|\n)\s*(?:import|export)\s(?!type\s)[^'"`;]*?['"]([^'"]+)['"]/g;

/**
 * What of a source the norm forbids: names of functions that it calls, and modules that it imports (types are free).
 * It reads words, and finds what is written plainly; who hides `open` behind a computed name is not found out.
 */
export function forbiddenIn(source: string): string[] {
  const modules = [...source.matchAll(imports)].map(([, from = '']) => `import '${from}'`);
  const calls = [...source.replace(notCode, ' ').matchAll(forbidden)].map(([, called, named]) => called ?? named ?? '');
  return [...new Set([...modules, ...calls])];
}

/** The same for the functions of a solution. */
export function forbiddenInSolution(solution: Solution): string[] {
  return [...new Set(Object.values(solution).filter((part) => typeof part === 'function').flatMap((part) => forbiddenIn(String(part))))];
}
