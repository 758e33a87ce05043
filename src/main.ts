import { detectHost, type Environment } from './hosts/detect.ts';
import { isPost, markPost } from './hosts/github-post.ts';
import type { Host } from './hosts/host.ts';
import { exitCodes, Failure } from './outcome.ts';
import { type CommandLine, readCommandLine } from './settings/command-line.ts';
import { readSettings } from './settings/read.ts';
import { secretsIn } from './settings/secrets.ts';

/** Cancelled runs are given this long to remove their containers: GitHub kills after 7.5 seconds. */
const CANCEL_GRACE_MS = 4500;

/**
 * The entry of the bundle: host → settings → line → exit code. It alone reads the environment, the clock and the
 * command line. Everything heavier is loaded when it is needed.
 */
async function main(): Promise<number> {
  const env: Environment = process.env;
  // Node's remarks on the packages we bundle are nothing that a person who reads a job's log can act on.
  process.noDeprecation = true;
  const write = (text: string): void => {
    process.stdout.write(text);
  };
  const hostName = detectHost(env);
  let command: CommandLine | undefined;
  let host: Host | undefined;
  try {
    if (hostName === 'terminal' || process.argv.length > 2) {
      command = readCommandLine(process.argv.slice(2));
      if (command.help || command.version || (hostName === 'terminal' && command.words.length === 0)) {
        const { helpText, versionText } = await import('./settings/help.ts');
        write(command.version ? versionText() : helpText(command.words[0]));
        return command.help || command.version ? 0 : exitCodes.error;
      }
    }
    host = await makeHost(hostName, env, write, command);
    if (hostName !== 'terminal' && command !== undefined) host = await withTyped(host, command, env);
    const commaSeparatedMaps = hostName === 'drone' || hostName === 'woodpecker';
    for (const secret of secretsIn(host.rawSettings, commaSeparatedMaps)) host.log.mask(secret);
    if (host.jobToken !== undefined) host.log.mask(host.jobToken.token);
    if (hostName === 'github') {
      if (isPost(env)) {
        const { cleanUpAfterJob } = await import('./line.ts');
        return await cleanUpAfterJob(host, env);
      }
      markPost(env);
    }
    const { settings, warnings } = readSettings(host.rawSettings, {
      settingName: host.settingName,
      commaSeparatedMaps,
    });
    for (const warning of warnings) host.log.finding(warning);

    const cancel = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        cancel.abort(new Failure('cancelled', `The run was cancelled (${signal}).`));
        // What cannot end in time is ended; the next start removes what is left.
        setTimeout(() => process.exit(exitCodes.error), CANCEL_GRACE_MS).unref();
      });
    }
    const { runLine } = await import('./line.ts');
    const { outcome } = await runLine({ host, settings, env, now: () => new Date(), signal: cancel.signal });
    return exitCodes[outcome];
  } catch (error) {
    const [{ reportFatal }, { keepOutputs }] = await Promise.all([
      import('./report/fatal.ts'),
      import('./line.ts'),
    ]);
    const step = host?.rawSettings.get('step')?.value ?? process.argv[2];
    return reportFatal(error, { host, write, step, keep: keepOutputs });
  }
}

/** A command that a CI's script runs: what is typed there counts more than what the host's environment says. */
async function withTyped(host: Host, command: CommandLine, env: Environment): Promise<Host> {
  const { withSecrets } = await import('./hosts/terminal.ts');
  const typed = withSecrets(command.rawSettings, env);
  return { ...host, rawSettings: new Map([...host.rawSettings, ...typed]) };
}

async function makeHost(
  name: Host['name'],
  env: Environment,
  write: (text: string) => void,
  command: CommandLine | undefined,
): Promise<Host> {
  switch (name) {
    case 'github':
      return (await import('./hosts/github.ts')).githubHost(env, write);
    case 'drone':
      return (await import('./hosts/drone.ts')).droneHost(env, write);
    case 'woodpecker':
      return (await import('./hosts/woodpecker.ts')).woodpeckerHost(env, write);
    case 'terminal':
      return (await import('./hosts/terminal.ts')).terminalHost(env, write, {
        rawSettings: command?.rawSettings ?? new Map(),
        live: process.stdout.isTTY === true && env.TERM !== 'dumb',
      });
  }
}

// Whoever reads our output may stop reading (`| head`): the work goes on, unheard.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Pending handles (keep-alive sockets of an engine or a registry) must not hold the process.
main().then((code) => {
  process.exitCode = code;
  process.stdout.write('', () => process.exit(code));
});
