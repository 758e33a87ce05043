import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addOutputs } from '../../../src/dossier/outputs-file.ts';
import { plainAscii } from '../../../src/untrusted/text.ts';

const file = (): string => join(mkdtempSync(join(tmpdir(), 'knowngood-outputs-')), 'outputs.env');

describe('outputs.env', () => {
  it('holds each step and the latest', () => {
    const path = file();
    addOutputs(path, 'label', { outcome: 'done', version: '1.2.3' });
    addOutputs(path, 'build-push', { outcome: 'refused', 'image-ref': 'a@b' });
    addOutputs(path, 'test', { outcome: 'error' });
    expect(readFileSync(path, 'utf8').split('\n').toSorted()).toEqual([
      '',
      "KNOWNGOOD_BUILD_PUSH_IMAGE_REF='a@b'",
      "KNOWNGOOD_BUILD_PUSH_OUTCOME='refused'",
      "KNOWNGOOD_IMAGE_REF='a@b'",
      "KNOWNGOOD_LABEL_OUTCOME='done'",
      "KNOWNGOOD_LABEL_VERSION='1.2.3'",
      "KNOWNGOOD_OUTCOME='error'",
      "KNOWNGOOD_TEST_OUTCOME='error'",
      "KNOWNGOOD_VERSION='1.2.3'",
    ]);
  });

  it('shows nothing of an earlier run of the step', () => {
    const path = file();
    addOutputs(path, 'label', { outcome: 'done', version: '1.2.3' });
    addOutputs(path, 'test', { outcome: 'done', verdict: 'green' });
    addOutputs(path, 'test', { outcome: 'error' });
    expect(readFileSync(path, 'utf8').split('\n').toSorted()).toEqual([
      '',
      "KNOWNGOOD_LABEL_OUTCOME='done'",
      "KNOWNGOOD_LABEL_VERSION='1.2.3'",
      "KNOWNGOOD_OUTCOME='error'",
      "KNOWNGOOD_TEST_OUTCOME='error'",
      "KNOWNGOOD_VERSION='1.2.3'",
    ]);
  });

  it('drops lines that it did not write', () => {
    const path = file();
    writeFileSync(
      path,
      "KNOWNGOOD_X='$(touch evil)'\nKNOWNGOOD_Y=$(touch evil)\nexport PATH=/evil\nKNOWNGOOD_Z='a'b'\n",
    );
    addOutputs(path, 'label', {});
    expect(readFileSync(path, 'utf8')).toBe("KNOWNGOOD_X='$(touch evil)'\n");
  });

  it('may be sourced by a shell, whatever the values hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const path = file();
        const text = plainAscii(value);
        addOutputs(path, 'label', { version: text });
        const seen = execFileSync('sh', ['-c', '. "$1"; printf %s "$KNOWNGOOD_LABEL_VERSION"', 'sh', path], {
          encoding: 'utf8',
        });
        expect(seen).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});
