import { Failure } from '../outcome.ts';
import type { RollbackResult } from '../promotion/rollback.ts';
import { gateLines } from '../report/gate.ts';
import { repositoryIdentity } from '../rules/repository-identity.ts';
import { type End, gateAnswer, moveLine, refusal } from './promotion/answer.ts';
import { gatePolicy } from './promotion/gate-policy.ts';
import { lookTools, writableLedger } from './promotion/look-tools.ts';
import { recipeOf } from './promotion/recipe-of.ts';
import type { FreeStep } from './step.ts';

/**
 * Makes an earlier release canonical again, moves the floating tags back to it, and holds the bad version, so that no
 * later run undoes it. Nothing is built and nothing is tested: that release passed the gate when it was promoted.
 */
export const step: FreeStep = {
  name: 'rollback',
  about: 'project',
  async run(input) {
    const { settings, tools, event, log } = input;
    const { why } = settings;
    if (why === undefined) {
      throw new Failure('setting-missing', 'A rollback says why: `why` is not set.', {
        remedy: 'Set `why` to what people who read the record should know.',
      });
    }
    const promotion = await tools.promotion();
    const looking = await lookTools(input, await writableLedger(input));
    const result = await promotion.rollBack(
      {
        recipe: await recipeOf(input),
        repository: repositoryIdentity((await tools.repository()).url),
        run: event.run.id,
        policy: gatePolicy(settings),
        to: settings.to,
        why,
        until: settings.holdUntil,
        images: [],
        by: event.actor ?? 'unknown',
        dryRun: settings.dryRun,
        decided: ({ rows }) => {
          for (const line of gateLines(rows)) log.info(line);
        },
      },
      looking,
    );
    if (result.answer === 'planned') for (const move of result.moves) log.info(`Would put ${moveLine(move)}`);
    const { canonical } = result;
    const images = canonical?.subject.kind === 'image' ? [canonical.subject.image] : [];
    const tags = promotion.tagWriter(looking.registry, looking.waiting, looking.write);
    const published = canonical === undefined ? [] : await promotion.publishedTags(canonical, images, tags);
    if (result.answer === 'rolled-back' && canonical?.hold != null) {
      const { bad, until } = canonical.hold;
      log.info(
        `Held: ${bad.join(', ')}, until ${until === 'newer' ? 'something newer is promoted' : 'somebody lifts it'}.`,
      );
    }
    return gateAnswer({
      ended: endOf(result),
      promoted: result.answer === 'rolled-back',
      gate: result.gate,
      canonical,
      published,
      ...(result.answer === 'planned' ? { planned: result.moves } : {}),
    });
  },
};

function endOf({ answer, gate }: RollbackResult): End {
  if (answer === 'rolled-back') return { outcome: 'done', reasons: ['rolled-back'] };
  return answer === 'planned' ? { outcome: 'skipped', reasons: ['dry-run'] } : refusal(gate);
}
