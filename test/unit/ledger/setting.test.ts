import { describe, expect, it } from 'vitest';
import { parseLedgerSetting } from '../../../src/ledger/setting.ts';

describe('the setting `ledger`', () => {
  it.each([
    [
      'git:https://git.example.org/ops/ledger#main',
      { kind: 'git', remote: 'https://git.example.org/ops/ledger', branch: 'main' },
    ],
    [
      'git:git@git.example.org:ops/ledger.git',
      { kind: 'git', remote: 'git@git.example.org:ops/ledger.git', branch: 'knowngood' },
    ],
    ['git:/srv/a#b.git#release/2', { kind: 'git', remote: '/srv/a#b.git', branch: 'release/2' }],
    ['file:/var/lib/knowngood', { kind: 'file', folder: '/var/lib/knowngood' }],
    ['file:ledger', { kind: 'file', folder: 'ledger' }],
  ])('reads %s', (text, expected) => {
    expect(parseLedgerSetting(text)).toEqual(expected);
  });

  it.each([
    '',
    'file:',
    'git:',
    'git:#main',
    'https://u:s3cret@x/y',
    'git:/a#',
    'git:/a#-f',
    'git:/a#a..b',
    'git:/a#x.lock',
    'git:/a#a b',
  ])('refuses %j without showing it', (text) => {
    expect(() => parseLedgerSetting(text)).toThrow(expect.objectContaining({ code: 'ledger-invalid' }));
    expect(() => parseLedgerSetting(text)).not.toThrow(/s3cret/);
  });
});
