import { isExact, type TagMove } from './plan.ts';
import type { PublishTools } from './publish.ts';
import { tagWriter } from './tag-writer.ts';

/**
 * Puts floating tags that are on `to` back to where they came from. A tag that came from nowhere stays: registries
 * cannot remove a tag without its manifest. Answers the tags that stayed so.
 */
export async function undoMoves(
  moves: readonly TagMove[],
  version: string,
  tools: Pick<PublishTools, 'registry' | 'waiting' | 'write' | 'tell'>,
): Promise<readonly TagMove[]> {
  const tags = tagWriter(tools.registry, tools.waiting, tools.write);
  const stayed: TagMove[] = [];
  for (const move of [...moves].reverse()) {
    const { image, tag, from, to } = move;
    if (isExact(tag, version) || from === to) continue;
    if ((await tags.current(image, tag)) !== to) continue;
    if (from === null) {
      stayed.push(move);
      tools.tell(`${image}:${tag} was not there before, and cannot be removed.`);
      continue;
    }
    tools.tell(`${image}:${tag} → ${from} again`);
    await tags.put(image, tag, from);
    await tags.readBack(image, tag, to, from);
  }
  return stayed;
}
