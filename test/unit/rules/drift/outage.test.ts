import { describe, expect, it } from 'vitest';
import { finding } from '../../../../src/outcome.ts';
import { readPinFile } from '../../../../src/pins/read-file.ts';
import { open, type Unanswered } from '../../../../src/rules/drift/looked-up.ts';
import { outagesJoined } from '../../../../src/rules/drift/outage.ts';
import { checkPins } from '../../../../src/rules/drift/pins.ts';
import { driftVerdict } from '../../../../src/rules/drift/verdict.ts';

const silent = (host: string, unanswered = `${host} is down.`): Unanswered => ({
  unanswered,
  host,
  cause: `registry-unreachable ${host}`,
  remedy: 'Wait.',
});

describe('an outage', () => {
  it('is one finding, an error, with everything that it leaves open', () => {
    const drift = finding('pin-behind', 'warning', 'older');
    const found = outagesJoined([
      open('The tags of ghcr.io/x/a', silent('ghcr.io')),
      drift,
      {
        ...open('ghcr.io/x/b:1', silent('ghcr.io', 'other words')),
        at: { file: 'compose.yml', line: 3, column: 9 },
      },
      { ...open('ghcr.io/x/b:1', silent('ghcr.io')), at: { file: 'k8s.yml', line: 7 } },
      open('The tags of quay.io/x/c', silent('quay.io')),
    ]);
    expect(found).toEqual([
      {
        code: 'cannot-determine',
        level: 'error',
        message:
          '2 things could not be looked up at ghcr.io: ghcr.io is down. They are: the tags of ghcr.io/x/a, ' +
          'ghcr.io/x/b:1 (compose.yml:3:9, k8s.yml:7).',
        remedy: 'Wait.',
        at: { file: 'compose.yml', line: 3, column: 9 },
      },
      drift,
      {
        code: 'cannot-determine',
        level: 'error',
        message: 'The tags of quay.io/x/c could not be looked up: quay.io is down.',
        remedy: 'Wait.',
      },
    ]);
    expect(driftVerdict(found, [])).toMatchObject({ verdict: 'error', outcome: 'error' });
  });

  it('of another cause is another one: the login of a host, and the host', () => {
    const denied = { ...silent('ghcr.io'), cause: 'registry-denied ghcr.io' };
    expect(outagesJoined([open('a', silent('ghcr.io')), open('b', denied)])).toHaveLength(2);
  });

  it('without a known cause stays as it is', () => {
    expect(outagesJoined([open('a', { unanswered: 'x.' }), open('b', { unanswered: 'x.' })])).toHaveLength(2);
  });

  it('names a bounded number', () => {
    const many = Array.from({ length: 500 }, (_, n) => open(`image ${n}`, silent('ghcr.io')));
    const [one, ...others] = outagesJoined(many);
    expect(others).toEqual([]);
    expect(one!.message).toMatch(/^500 things could not .* image 11 and 488 more\.$/);
    const places = Array.from({ length: 30 }, (_, n) => ({
      ...open('a', silent('ghcr.io')),
      at: { file: 'compose.yml', line: n + 1 },
    }));
    expect(outagesJoined(places)[0]!.message).toContain('a (compose.yml:1, compose.yml:2, compose.yml:3');
    expect(outagesJoined(places)[0]!.message).toContain(' and 25 more) could not be looked up: ');
  });

  it('hides none of the pins behind it', () => {
    const text = 'services:\n  a: {image: "ghcr.io/x/a:1.0.0"}\n  b: {image: "ghcr.io/x/b:1.0.0"}\n';
    const { pins } = readPinFile('compose.yml', Buffer.from(text), () => undefined);
    const looked = pins.map((pin) => ({ pin, state: silent('ghcr.io') }));
    const [one, ...others] = outagesJoined(checkPins({ pins: looked, unreadable: [], own: [] }));
    expect(others).toEqual([]);
    expect(one!.message).toContain(
      'ghcr.io/x/a:1.0.0 (compose.yml:2:15), ghcr.io/x/b:1.0.0 (compose.yml:3:15)',
    );
  });
});
