import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import { insideTree } from './binds.ts';
import type { ComposeModel, ComposeThing } from './compose-model.ts';
import { ignoring, makeNetwork } from './containers.ts';
import type { Site } from './site.ts';

/**
 * Makes the networks, secrets and configs of a stack for this run, whatever the file calls them and whether or not
 * it says that they are there already: networks so that containers of ours can join them, `external` secrets with
 * generated values. The model then names ours as external.
 *
 * A swarm's secrets and configs cannot be changed. One whose content differs between base and candidate gets another
 * name, as a recipe would give it another version; a generated one stays what it was, or the upgrade would lose it.
 */
export async function makeStackThings(
  site: Site,
  model: ComposeModel,
  project: string,
  folder: string,
): Promise<ComposeModel> {
  const networks: Record<string, ComposeThing> = {};
  for (const [key, network] of Object.entries(model.networks ?? {})) {
    const name = `${project}_${key}`;
    const internal = network?.internal === true;
    await makeNetwork(site.docker, site.name, (made) => site.journal.note('network', made), name, {
      Driver: 'overlay',
      Attachable: true,
      Internal: internal,
    });
    networks[key] = { name, external: true };
  }
  const kept = { ...model, networks };
  for (const kind of ['secrets', 'configs'] as const) {
    const made: Record<string, ComposeThing> = {};
    for (const [key, thing] of Object.entries(model[kind] ?? {})) {
      made[key] = {
        name: await makeOne(site, kind, `${project}_${key}`, contentOf(thing, folder)),
        external: true,
      };
    }
    kept[kind] = made;
  }
  return kept;
}

/** The content that the file gives; `undefined` where it is to be generated. */
function contentOf(thing: ComposeThing | null, folder: string): Buffer | undefined {
  if (typeof thing?.content === 'string') return Buffer.from(thing.content.replaceAll('$$', '$'));
  return thing?.file === undefined ? undefined : readFileSync(insideTree(folder, thing.file));
}

async function makeOne(
  site: Site,
  kind: 'secrets' | 'configs',
  stem: string,
  content: Buffer | undefined,
): Promise<string> {
  const hash =
    content === undefined ? '' : `_${createHash('sha256').update(content).digest('hex').slice(0, 8)}`;
  const name = `${stem}${hash}`;
  site.journal.note(kind === 'secrets' ? 'secret' : 'config', name);
  const spec = {
    Name: name,
    Labels: site.name.labels(),
    // Letters and digits only: it has to survive URLs, shells and INI files.
    Data: (content ?? Buffer.from(generated())).toString('base64'),
  };
  // 409: it is there already, from the base.
  await ignoring(
    [409],
    kind === 'secrets' ? site.docker.createSecret(spec) : createConfig(site.docker, spec),
  );
  return name;
}

/** dockerode's type of the call takes a callback only. */
function createConfig(
  docker: Docker,
  spec: { Name: string; Labels: Record<string, string>; Data: string },
): Promise<unknown> {
  return (docker.createConfig as unknown as (options: object) => Promise<unknown>).call(docker, spec);
}

function generated(): string {
  return randomBytes(24).toString('hex');
}
