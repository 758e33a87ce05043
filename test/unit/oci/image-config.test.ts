import { describe, expect, it } from 'vitest';
import { parseImageConfig } from '../../../src/oci/image-config.ts';

const parse = (value: unknown) =>
  parseImageConfig(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));

describe('parseImageConfig', () => {
  it.each<[unknown, object]>([
    [
      { os: 'linux', architecture: 'arm64', variant: 'v8', config: { Labels: { a: 'b' } } },
      { platform: { os: 'linux', architecture: 'arm64' }, labels: { a: 'b' } },
    ],
    [
      { os: 'linux', architecture: 'amd64', config: { Labels: null } },
      { platform: { os: 'linux', architecture: 'amd64' }, labels: {} },
    ],
    [
      { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' },
      { platform: { os: 'windows', architecture: 'amd64', osVersion: '10.0.1' }, labels: {} },
    ],
    [{ config: null }, { platform: undefined, labels: {} }],
    [
      { os: '', architecture: '' },
      { platform: undefined, labels: {} },
    ],
  ])('reads %j', (value, expected) => {
    expect(parse(value)).toEqual(expected);
  });

  it('keeps a label of any name as a plain entry', () => {
    const { labels } = parse('{"config":{"Labels":{"__proto__":"x","Labels":"y"}}}');
    expect(Object.entries(labels)).toEqual([
      ['__proto__', 'x'],
      ['Labels', 'y'],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    '{"config":{"Labels":{"a":"1","a":"2"}}}',
    '{"config":{"Labels":{"a":1}}}',
    '{"config":{"labels":{"a":"1"}}}',
    '{"config":{"Labels":{},"LABELS":{"a":"1"}}}',
    '{"Config":{"Labels":{}}}',
    '{"config":[]}',
    '[]',
    '',
  ])('refuses %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'manifest-invalid' }));
  });
});
