import type Docker from 'dockerode';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { portsOfNobody } from './published-ports.ts';
import { openTrial, type Trial } from './trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

it('a port that is held without a container is seen', async () => {
  const { docker } = trial;
  const container = await docker.createContainer({
    Image: await trial.box.base('busybox'),
    Cmd: ['sleep', '100'],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '' }] } },
  });
  try {
    await container.start();
    const [bound] = (await container.inspect()).NetworkSettings.Ports['80/tcp']!;
    // To an engine that had lost this container the port would be nobody's.
    const forgetful = { info: () => docker.info(), listContainers: async () => [] } as unknown as Docker;
    expect(await portsOfNobody(forgetful)).toContain(`port ${bound!.HostPort}`);
    expect(await portsOfNobody(docker)).toEqual([]);
  } finally {
    await container.remove({ force: true });
  }
});
