import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageSection } from '../../../src/dossier/schema.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import { intent, record } from '../ledger/records.ts';

/** A folder that is an empty ledger. */
export async function emptyLedger(): Promise<string> {
  const folder = join(mkdtempSync(join(tmpdir(), 'kg-ledger-')), 'ledger');
  await open(folder).init();
  return folder;
}

/** Writes the image into the ledger as the canonical release of `app`. */
export async function promoteImage(folder: string, image: ImageSection, version: string): Promise<void> {
  const ledger = open(folder);
  const view = await ledger.read('app');
  const next = record('app', version, view.record(), {
    recipeDigest: image.recipeDigest ?? null,
    subject: {
      kind: 'image',
      image: image.image,
      digest: image.digest!,
      platforms: { ...image.platforms },
      tested: Object.keys(image.platforms),
    },
  });
  const lock = intent(version, next.sequence, Date.now() + 60_000);
  await ledger.takeIntent('app', lock, { revision: view.revision });
  if ((await ledger.commit('app', next, { nonce: lock.nonce })) !== 'written') throw new Error('lost');
}

function open(folder: string) {
  const waiting = {
    now: () => Date.now(),
    random: () => Math.random(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };
  return ledgerOver(fileStore({ folder, waiting }));
}
