import fs from 'node:fs';

/** Writes a file so that whoever reads it finds the old text or the new one, whole, after a crash of the machine too. */
export function writeAtomically(file: string, text: string, mode = 0o600): void {
  const fresh = `${file}.${process.pid}`;
  try {
    const descriptor = fs.openSync(fresh, 'w', mode);
    try {
      fs.writeFileSync(descriptor, text);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(fresh, file);
  } catch (error) {
    fs.rmSync(fresh, { force: true });
    throw error;
  }
}
