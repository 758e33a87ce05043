import type { GatePolicy } from '../../rules/gate/snapshot.ts';
import type { Settings } from '../../settings/schema.ts';

/** What the settings ask of a promotion besides the five. */
export function gatePolicy(
  settings: Pick<Settings, 'require' | 'minAge' | 'maxEvidenceAge' | 'requirePlatforms'>,
): GatePolicy {
  const asked = new Set<string>(settings.require);
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
