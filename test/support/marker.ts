/**
 * In the name of everything that the tests of this process make, so that what they leave behind is told from what tests of other
 * processes are making at the same moment.
 */
export const marker = `delos-test-${process.pid}`;

let count = 0;

/** A container id that nobody else uses. */
export function newId(name = 'c'): string {
  return `${marker}-${name}-${++count}`;
}
