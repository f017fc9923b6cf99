const screen = document.querySelector('#console');
const status = document.querySelector('#status');
const words = document.querySelector('#words');
const decoder = new TextDecoder();
let worker;

/** What a terminal does with the control characters that a shell sends; colours and cursor movements are left out. */
function show(text) {
  for (const character of text.replace(/\x1b(\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|[\r\x07]/g, '')) {
    if (character === '\b') screen.textContent = screen.textContent.slice(0, -1);
    else screen.append(character);
  }
  scrollTo(0, document.body.scrollHeight);
}

function begin(kernel, initrd) {
  worker?.terminate();
  screen.textContent = '';
  worker = new Worker('worker.js', { type: 'module' });
  worker.addEventListener('message', ({ data }) => {
    if (data.said !== undefined) show(decoder.decode(data.said, { stream: true }));
    if (data.status !== undefined) status.textContent = data.status;
  });
  worker.postMessage({ start: { kernel, initrd, commandLine: words.value } });
  screen.focus();
}

/** An initrd is a cpio archive, or something compressed: gzip, xz, zstd. */
function isInitrd(bytes) {
  const head = [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return ['303730373031', '1f8b', 'fd377a585a', '28b52ffd'].some((magic) => head.startsWith(magic));
}

addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', async (event) => {
  event.preventDefault();
  const files = await Promise.all([...event.dataTransfer.files].map((file) => file.bytes?.() ?? file.arrayBuffer().then((buffer) => new Uint8Array(buffer))));
  const kernel = files.find((bytes) => !isInitrd(bytes));
  if (kernel === undefined) status.textContent = 'that is no kernel';
  else begin(kernel, files.find(isInitrd));
});

const keys = { Enter: '\r', Backspace: '\x7f', Tab: '\t', Escape: '\x1b', ArrowUp: '\x1b[A', ArrowDown: '\x1b[B', ArrowRight: '\x1b[C', ArrowLeft: '\x1b[D' };

screen.addEventListener('keydown', (event) => {
  const control = event.ctrlKey && /^[a-z]$/.test(event.key) ? String.fromCharCode(event.key.charCodeAt(0) - 96) : undefined;
  const typed = control ?? keys[event.key] ?? (event.key.length === 1 && !event.metaKey ? event.key : undefined);
  if (typed === undefined) return;
  event.preventDefault();
  worker?.postMessage({ typed });
});

// index.html?kernel=URL&initrd=URL begins by itself.
const asked = new URLSearchParams(location.search);
if (asked.has('kernel')) {
  const [kernel, initrd] = await Promise.all(['kernel', 'initrd'].map(async (name) => (asked.has(name) ? (await fetch(asked.get(name))).bytes() : undefined)));
  if (asked.has('append')) words.value = asked.get('append');
  begin(kernel, initrd);
}
