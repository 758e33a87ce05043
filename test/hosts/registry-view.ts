import { command, tryCommand } from '../../sandbox/command.ts';
import type { RunningRegistry, Sandbox } from '../../sandbox/index.ts';

/** A registry as other people's tool (crane) sees it. */
export interface RegistryView {
  /** Digest behind a tag; undefined where there is none. */
  digest(reference: string): Promise<string | undefined>;
  config(reference: string): Promise<{ config: { Labels: Record<string, string> } }>;
  tags(repository: string): Promise<readonly string[]>;
}

export async function registryView(box: Sandbox, registry: RunningRegistry): Promise<RegistryView> {
  const crane = await box.tool('crane');
  const env = { ...process.env, ...box.env };
  const { username, password } = registry.account;
  await command([crane, 'auth', 'login', registry.host, '-u', username, '--password-stdin'], {
    env,
    input: password,
  });
  return {
    digest: async (reference) => {
      const { code, stdout } = await tryCommand([crane, 'digest', reference], { env });
      return code === 0 ? stdout.trim() : undefined;
    },
    config: async (reference) => JSON.parse(await command([crane, 'config', reference], { env })),
    tags: async (repository) => (await command([crane, 'ls', repository], { env })).trim().split('\n'),
  };
}
