import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labels, runName, runOf } from '../../../src/harness/naming.ts';
import { livenessOf, ownerContainer, thisOwner } from '../../../src/harness/owner.ts';
import { isPortTaken } from '../../../src/harness/ports.ts';

describe('whose something is', () => {
  const own = runName('abcdefgh12', 'app', 2_000_000_000, 'me');

  it('its own names and labels agree', () => {
    expect(own.owns(own.name('install-app'), own.labels())).toBe(true);
    expect(
      own.owns('kg-abcdefgh12-install-app-1', { 'com.docker.compose.project': 'kg-abcdefgh12-install' }),
    ).toBe(true);
  });

  it.each([
    ['the name alone', 'kg-abcdefgh12-install', {}],
    ['no labels at all', 'kg-abcdefgh12-install', undefined],
    ['the label alone', 'somebody-elses', own.labels()],
    ["another run's label", 'kg-abcdefgh12-install', { [labels.run]: 'otherrun12' }],
    ['a name that only begins like it', 'kg-abcdefgh12x-install', own.labels()],
    ['a name that contains it', 'x-kg-abcdefgh12-install', own.labels()],
  ])('%s is not enough', (_, name, found) => {
    expect(own.owns(name, found)).toBe(false);
  });

  it('labels of an image never outweigh ours', () => {
    const forged = { [labels.run]: 'otherrun12', [labels.owner]: 'dead', [labels.until]: '1' };
    expect(own.labels(forged)).toMatchObject({ [labels.run]: 'abcdefgh12', [labels.owner]: 'me' });
  });

  it('no name and no labels of a stranger make a run of two', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (name, found) => {
        const run = runOf(name, found);
        expect(run === undefined || name.startsWith(`kg-${run}`)).toBe(true);
      }),
    );
  });

  it('a run id is what it says', () => {
    for (const id of ['short', 'UPPERCASE1', 'with-hyphen', '', 'a'.repeat(17)])
      expect(() => runName(id, 'app', 0, '')).toThrow(RangeError);
  });
});

describe('an owner', () => {
  it('is alive as long as its process is, and a stranger’s is unknown', () => {
    const here = thisOwner();
    expect(livenessOf(here)).toBe('alive');
    expect(livenessOf(here.replace(/\.\d+$/, '.1'))).toBe('dead');
    expect(livenessOf('p.00000000-0000-0000-0000-000000000000.1.2.3')).toBe('unknown');
    expect(livenessOf('')).toBe('unknown');
    expect(ownerContainer(`${here}.c.${'a'.repeat(64)}`)).toBe('a'.repeat(64));
    expect(ownerContainer(here)).toBeUndefined();
  });
});

describe('a host port that is taken', () => {
  it.each([
    [
      'driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated',
      true,
    ],
    ['listen tcp4 127.0.0.1:8080: bind: address already in use', true],
    ['rootlessport listen tcp 0.0.0.0:80: bind: permission denied', false],
    ['no such image', false],
  ])('%s', (message, taken) => {
    expect(isPortTaken(message)).toBe(taken);
  });
});
