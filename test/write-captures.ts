/**
 * Writes the captures of test/captures, and what tshark says of them.
 *
 *     node test/write-captures.ts
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownCaptures, packed } from './own-captures.ts';
import { CAPTURES, truthOf, truthPath, truthText } from './own-truth.ts';

mkdirSync(CAPTURES, { recursive: true });
for (const name of readdirSync(CAPTURES)) if (name !== 'README.md') rmSync(join(CAPTURES, name));
for (const capture of ownCaptures()) {
  writeFileSync(join(CAPTURES, capture.name), packed(capture));
  writeFileSync(truthPath(capture.name), truthText(truthOf(capture)));
}
