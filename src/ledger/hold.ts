import * as v from 'valibot';

/**
 * Versions that must not be promoted. `until: newer` holds just these; a newer one ends the hold by being
 * promoted. `until: manual` holds whatever is newer than the canonical, until somebody lifts it.
 */
export const holdSchema = v.object({
  bad: v.array(v.string()),
  until: v.picklist(['newer', 'manual']),
  reason: v.string(),
  by: v.string(),
  at: v.string(),
});

export type Hold = v.InferOutput<typeof holdSchema>;
