import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const text = readFileSync(new URL('../../../docs/provenance.md', import.meta.url), 'utf8');
const run = promisify(execFile);

/** The commands of the first shell block below a heading of docs/provenance.md, one a line, without comments. */
export function documentedCommands(heading: string): readonly string[] {
  const at = text.indexOf(`## ${heading}\n`);
  const block = /```sh\n([\s\S]*?)```/.exec(text.slice(at))?.[1];
  if (at < 0 || block === undefined) throw new Error(`docs/provenance.md has no commands below ${heading}`);
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

/** Verifies a bundle's signature with `key.pub` in the folder, and nothing of ours: rejects where it does not hold. */
export async function opensslVerify({ dsseEnvelope }: BundleJson, cwd: string): Promise<string> {
  const { payload, payloadType, signatures } = dsseEnvelope;
  const bytes = Buffer.from(payload, 'base64');
  // DSSE's pre-authentication encoding, written out: this is what others have to do.
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `),
    bytes,
  ]);
  writeFileSync(join(cwd, 'message'), signed);
  writeFileSync(join(cwd, 'signature'), Buffer.from(signatures[0]!.sig, 'base64'));
  const isEc = (await shell('openssl pkey -pubin -in key.pub -text -noout', { cwd })).includes('P-256');
  return shell(
    isEc
      ? 'openssl dgst -sha256 -verify key.pub -signature signature message'
      : 'openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in message -sigfile signature',
    { cwd },
  );
}
