import { describe, expect, it } from 'vitest';
import { createSlots } from '../../../src/http/slots.ts';

const never = new AbortController().signal;

/** Runs what is due. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('are given to as many as there are, then in the order of asking', async () => {
    const slots = createSlots(2);
    const got: string[] = [];
    for (const who of ['a', 'b', 'c', 'd']) void slots.take(never).then(() => got.push(who));
    await settled();
    expect(got).toEqual(['a', 'b']);
    slots.give();
    await settled();
    expect(got).toEqual(['a', 'b', 'c']);
    slots.give();
    slots.give();
    await settled();
    expect(got).toEqual(['a', 'b', 'c', 'd']);
  });

  it('can be given back before anybody asks', async () => {
    const slots = createSlots(1);
    await slots.take(never);
    slots.give();
    await slots.take(never);
  });

  it('are not given to somebody who left the line, and are not lost with them', async () => {
    const slots = createSlots(1);
    await slots.take(never);
    const leaving = new AbortController();
    const left = slots.take(leaving.signal);
    const next = slots.take(never);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    slots.give();
    await next;
    await expect(slots.take(leaving.signal)).rejects.toThrow('gone');
  });
});
