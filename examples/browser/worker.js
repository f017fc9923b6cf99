// A machine has a thread of its own, so that the page stays alive.
import { Machine } from '../../build/machine-browser.js';

/** @type {Machine | undefined} */
let machine;

addEventListener('message', async ({ data: { start, typed } }) => {
  if (typed !== undefined) {
    machine?.send(typed);
    return;
  }
  try {
    machine = new Machine({ ...start, serial: (bytes) => postMessage({ said: bytes }) });
    postMessage({ status: 'running' });
    postMessage({ status: JSON.stringify(await machine.run()) });
  } catch (error) {
    postMessage({ status: error.message });
  }
});
