import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const text = page('provenance.md');
const run = promisify(execFile);

/** The commands of the first shell block behind this text of a page of docs/, one a line, without comments. */
export function documentedCommands(before: string, name = 'provenance.md'): readonly string[] {
  const text = page(name);
  const at = text.indexOf(before);
  const block = /```sh\n([\s\S]*?)```/.exec(text.slice(at))?.[1];
  if (at < 0 || block === undefined) throw new Error(`docs/${name} has no commands behind ${before}`);
  return block
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)# .*$/, ''))
    .filter((line) => line !== '');
}

/** The policy that the docs show, as text. */
export function documentedPolicy(): string {
  return /```json\n([\s\S]*?)```/.exec(text.slice(text.indexOf('## Verifying with knowngood')))![1]!;
}

/** Runs a line as a shell would; rejects where it fails, with everything that it wrote. */
export async function shell(
  line: string,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: options.cwd, ...options.env };
  const { stdout } = await run('sh', ['-euc', line], { ...options, env });
  return stdout;
}

export interface BundleJson {
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

/** A Sigstore bundle as any program reads it. */
export function bundleOf(json: string): BundleJson {
  return JSON.parse(json);
}

/** Verifies a bundle's signature with `key.pub` in the folder, as the docs say: rejects where it does not hold. */
export async function opensslVerify(bundle: BundleJson, cwd: string): Promise<string> {
  writeFileSync(join(cwd, 'attestation.sigstore.json'), JSON.stringify(bundle));
  const [unpack, p256, ed25519] = documentedCommands('with openssl and nothing of ours');
  await shell(unpack!, { cwd });
  const isP256 = (await shell('openssl pkey -pubin -in key.pub -text -noout', { cwd })).includes('P-256');
  return shell(isP256 ? p256! : ed25519!, { cwd });
}
