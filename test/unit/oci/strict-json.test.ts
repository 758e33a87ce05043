import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookalikeKey, parseStrictJson } from '../../../src/oci/strict-json.ts';

const parse = (text: string) => parseStrictJson(new TextEncoder().encode(text), 'It');
const refused = expect.objectContaining({ code: 'manifest-invalid' });

describe('parseStrictJson', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"x":{"a":[],"b":{},"a":{}}}',
    '[{"a":"}","a":0}]',
    '{"a":"\\"","b":["a",{"c":1}],"a":1}',
    '{"":1,"":2}',
  ])('refuses a double key: %s', (text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(() => parse(text)).toThrow('twice');
  });

  it.each([
    '{"a":"a","b":"a"}',
    '[{"a":1},{"a":1}]',
    '{"a":{"a":{"a":["a","a"]}}}',
    '"a"',
    '{"a\\\\":1,"a":2}',
    '[",","{",":"]',
  ])('takes %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['nesting', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['no JSON', '{'],
    ['a byte order mark', '\ufeff{}'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(refused);
  });

  it('refuses a deep bomb without running out of stack', () => {
    expect(() => parse('['.repeat(2_000_000) + ']'.repeat(2_000_000))).toThrow(refused);
  });

  it('refuses what is not UTF-8', () => {
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), 'It')).toThrow('UTF-8');
  });

  it('agrees with JSON.parse on everything without a double key', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('finds a double key wherever it is put', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string(), (value, key) => {
        const name = JSON.stringify(key);
        const double = `{${name}:${JSON.stringify(value)},"~":[${JSON.stringify(value)}],${name}:0}`;
        if (key !== '~') expect(() => parse(`[${double}]`)).toThrow('twice');
      }),
    );
  });
});

describe('lookalikeKey', () => {
  it.each([
    ['Config', 'Config'],
    ['LAYERS', 'LAYERS'],
    ['layer\u017f', 'layer\u017f'],
    ['layers', undefined],
    ['other', undefined],
  ])('%s', (key, expected) => {
    expect(lookalikeKey({ [key]: 1 }, ['config', 'layers'])).toBe(expected);
  });
});
