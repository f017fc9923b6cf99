// node pull-program.ts STORE NAME: pulls an image and prints its ID; for tests that kill or multiply it.
import { pullImage } from '../../src/images/pull.ts';
import { openStore } from '../../src/images/store.ts';
import { parseReference } from '../../src/registry/reference.ts';

const [root, name] = process.argv.slice(2) as [string, string];
const { image } = await pullImage(openStore(root), parseReference(name), { environment: {}, rules: [], credentials: null });
process.stdout.write(`${image.id}\n`);
