import type { Solution } from '../hypervisor-sim.ts';
import { spec } from './spec.ts';

const { forbidden_functions } = spec.norm;

/** exec has many spellings; the rest are the ways in which a TypeScript file gets at the system without them. */
const forbidden = new RegExp(
  String.raw`(?<![\w$])(?:(${forbidden_functions.join('|')}|exec[lv]p?e?|execFile|\w+Sync|spawn|require|import|eval|fetch)\s*\(|(process|globalThis)(?![\w$]))`, 'g');

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
