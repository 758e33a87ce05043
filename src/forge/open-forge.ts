import type { Http } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import type { Forge } from './forge.ts';
import { giteaForge } from './gitea.ts';

export interface ForgeOptions {
  readonly http: Http;
  /** The setting `forge`; absent: found by asking. */
  readonly kind: 'github' | 'gitea' | 'forgejo' | undefined;
  /** The setting `forge-url`, else the server of the event's repository page: `https://git.example.org`. */
  readonly url: string;
  /** `owner/name`. */
  readonly slug: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

/** Opens the forge of a repository; asks the server what it is where nobody says. */
export async function openForge(options: ForgeOptions): Promise<Forge> {
  const { http, token, signal, tell } = options;
  const [owner, name, ...more] = options.slug.split('/');
  if (!owner || !name || more.length > 0) {
    throw new Failure('setting-invalid', 'The repository on the forge is not of the form owner/name.');
  }
  const kind = options.kind ?? (await kindOf(http, options.url, signal));
  if (kind !== 'github') return giteaForge({ http, kind, url: options.url, owner, name, token, signal });
  const { githubForge } = await import('./github.ts');
  return githubForge({ http, url: githubApi(options.url), owner, name, token, signal, tell });
}

/** `https://github.com` → `https://api.github.com`; an enterprise server has its API below `/api/v3`. */
function githubApi(url: string): string {
  const { hostname, origin, pathname } = new URL(url);
  if (hostname === 'github.com' || hostname === 'www.github.com') return 'https://api.github.com';
  if (hostname === 'api.github.com' || pathname.length > 1) return url;
  return `${origin}/api/v3`;
}

/** Asked without a token: what a server is must not cost a credential. */
async function kindOf(http: Http, url: string, signal: AbortSignal): Promise<'github' | 'gitea' | 'forgejo'> {
  const { hostname, origin } = new URL(url);
  if (hostname === 'github.com' || hostname === 'api.github.com') return 'github';
  const codes = { unreachable: 'forge-unreachable', invalid: 'forge-failed' } as const;
  const forgejo = await http.request({ url: `${origin}/api/forgejo/v1/version`, signal, codes });
  if (forgejo.ok) return 'forgejo';
  const gitea = await http.request({ url: `${origin}/api/v1/version`, signal, codes });
  if (gitea.ok) return 'gitea';
  const enterprise = await http.request({ url: `${origin}/api/v3/meta`, signal, codes });
  if (enterprise.ok) return 'github';
  throw new Failure('forge-failed', `What kind of forge ${hostname} is could not be told.`, {
    remedy: 'Set `forge` to github, gitea or forgejo.',
  });
}
