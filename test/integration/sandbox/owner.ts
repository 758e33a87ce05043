// Owns a sandbox with a running container until somebody kills it; says on stdout what it has made.
import { command } from '../../../sandbox/command.ts';
import { sandbox } from '../../../sandbox/index.ts';

const box = await sandbox({ engine: 'own' });
const from = await box.base('busybox');
const docker = (...args: string[]) => command(['docker', ...args], { env: { ...process.env, ...box.env } });
await docker('network', 'create', 'apart');
await docker('run', '-d', '--network', 'apart', '-p', '127.0.0.1::80', from, 'httpd', '-f', '-p', '80');
process.stdout.write(`${JSON.stringify({ dockerHost: box.dockerHost, config: box.env.DOCKER_CONFIG })}\n`);
setInterval(() => {}, 60_000);
