import { Failure } from '../../outcome.ts';
import type { GatePolicy } from '../../rules/gate/snapshot.ts';
import type { Settings } from '../../settings/schema.ts';

const words = ['signature', 'provenance', 'all-platforms', 'require-lowered'] as const;

/** What the settings ask of a promotion besides the five. Fails with `setting-invalid` for an unknown word. */
export function gatePolicy(
  settings: Pick<Settings, 'require' | 'minAge' | 'maxEvidenceAge' | 'requirePlatforms'>,
): GatePolicy {
  const asked = new Set<string>(settings.require);
  const unknown = [...asked].find((word) => !words.some((known) => known === word));
  if (unknown !== undefined) {
    throw new Failure(
      'setting-invalid',
      `\`require\` names ${JSON.stringify(unknown)}, which is nothing to require.`,
      {
        remedy: `Use ${words.slice(0, 3).join(', ')}; and \`require-lowered\`, to ask for less than before.`,
      },
    );
  }
  return {
    // Who asks for signed provenance asks for a signature.
    signature: asked.has('signature'),
    provenance: asked.has('provenance'),
    allPlatforms: asked.has('all-platforms'),
    platforms: settings.requirePlatforms,
    minAgeMs: settings.minAge,
    maxEvidenceAgeMs: settings.maxEvidenceAge,
    accepted: asked.has('require-lowered') ? ['require-lowered'] : [],
  };
}
