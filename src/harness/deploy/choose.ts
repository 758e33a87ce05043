import type { TestPlan } from '../plan.ts';
import type { Site } from '../site.ts';
import { commandsDeployment } from './commands.ts';
import { composeDeployment } from './compose.ts';
import type { Deployment } from './deployment.ts';
import { imageDeployment } from './image.ts';
import { swarmDeployment } from './swarm.ts';

/** An installation of the kind that the recipe asks for. */
export function deployment(site: Site, scope: string): Deployment {
  const { deploy } = site.plan;
  switch (deploy.kind) {
    case 'image':
      return imageDeployment(site, deploy, portsOf(site.plan), scope);
    case 'compose':
      return composeDeployment(site, deploy, portsOf(site.plan), scope);
    case 'swarm':
      return swarmDeployment(site, deploy, portsOf(site.plan), scope);
    case 'commands':
      return commandsDeployment(site, deploy, scope);
  }
}

/** Every container port of the target that something asks for. */
export function portsOf(plan: TestPlan): number[] {
  const ports = new Set<number>();
  if (plan.deploy.kind === 'image') for (const { container } of plan.deploy.ports) ports.add(container);
  if (plan.target.port !== undefined) ports.add(plan.target.port);
  const how = plan.ready?.how;
  if ((how?.kind === 'http' || how?.kind === 'tcp') && how.port !== undefined) ports.add(how.port);
  for (const command of [
    ...plan.check,
    ...plan.beforeUpgrade,
    ...plan.tiers.flatMap(({ commands }) => commands ?? []),
  ]) {
    if (command.kind === 'http' && command.port !== undefined) ports.add(command.port);
  }
  return [...ports];
}
