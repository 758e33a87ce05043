import { actionYaml } from './action.ts';
import { configSchemas } from './config-schemas.ts';
import { pluginDocs, pluginIndex } from './plugin.ts';
import { reasonsPage } from './reasons-page.ts';

/** Every generated file: path in the repository → content. */
export async function faces(description: string): Promise<Readonly<Record<string, string>>> {
  return {
    'action.yml': actionYaml(description),
    'drone-plugin/docs.md': pluginDocs(description),
    'drone-plugin/content.yaml': pluginIndex(description),
    'docs/reasons.md': reasonsPage(),
    ...configSchemas(),
  };
}
