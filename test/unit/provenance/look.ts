import { expect } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference, withDigest } from '../../../src/oci/reference.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import type { Expected, Verification } from '../../../src/provenance/verification.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import type { MemoryRegistry } from './memory-registry.ts';
import { newKey, policyOf, virtualClock } from './scene.ts';

/** The image that is tampered with, who signs for it, and somebody who does not. */
export const image = parseReference('registry.example:5000/acme/hedgedoc');
export const { key, publicPem } = newKey();
export const stranger = newKey().key;
export const policy = policyOf(key);
export const clock = virtualClock();

export function look(
  registry: MemoryRegistry,
  digest: Digest,
  more: { policy?: Policy; expected?: Expected } = {},
): Promise<Verification> {
  return verifyImage({ registry, image: withDigest(image, digest), policy, ...more });
}

/** Every finding as one line. */
export function said({ findings }: Verification): string[] {
  return findings.map(({ code, level, message }) => `${level} ${code}: ${message}`);
}

/** Some finding has this level and code and names this place. */
export function expectNamed(answer: Verification, level: string, code: string, named: string): void {
  const all = said(answer);
  expect(
    all.some((line) => line.startsWith(`${level} ${code}: `) && line.includes(named)),
    `${level} ${code} … ${named} in:\n${all.join('\n')}`,
  ).toBe(true);
}
