import type { RunningRegistry, Sandbox } from '../../sandbox/index.ts';
import { theExample } from './documents.ts';
import { type PipelineEnd, type PipelineRun, type RunningPipeline, startPipeline } from './drone.ts';
import { keepLog } from './kept-logs.ts';
import { inSandbox } from './outside-world.ts';
import { buildPlugin, type PluginImages } from './plugin.ts';
import { type HostedProject, ledgerToken, makeProject } from './project.ts';
import { alsoAt } from './reachable.ts';
import { type RegistryView, registryView } from './registry-view.ts';

export type DroneProject = HostedProject & { readonly image: string; end(): Promise<void> };

export type DroneEvent = Pick<PipelineRun, 'event' | 'ref'> & Partial<PipelineRun>;

/** What Drone's pipelines of a test file share: the plugin's image, and registries that containers reach too. */
export interface DroneWorld {
  readonly images: PluginImages;
  /** The registry that asks for a password. */
  readonly registry: RunningRegistry;
  readonly view: RegistryView;
  /** A name on loopback as containers know it. */
  near(name: string): string;
  /** A project of its own; `open`: its image goes to the registry that everybody may write. */
  project(name: string, options?: { readonly open?: boolean; readonly slug?: string }): Promise<DroneProject>;
  /** Runs an example, or `text`, as the project's pipeline; settings in `environ` are every step's. */
  run(
    id: string,
    made: DroneProject,
    event: DroneEvent,
    more?: { environ?: Record<string, string>; text?: string },
  ): Promise<PipelineEnd>;
  start(
    text: string,
    made: DroneProject,
    event: DroneEvent,
    environ?: Record<string, string>,
  ): Promise<RunningPipeline>;
  stop(): Promise<void>;
}

/** `address`: where containers reach this machine. */
export async function droneWorld(box: Sandbox, address: string): Promise<DroneWorld> {
  const near = (name: string): string => name.replace('127.0.0.1', address);
  const images = await buildPlugin(box);
  const registry = await box.startRegistry({ auth: 'htpasswd' });
  const view = await registryView(box, registry);
  const stop = await alsoAt(address, [registry.host]);

  const start: DroneWorld['start'] = async (text, made, event, environ = {}) =>
    startPipeline(box, {
      pipeline: inSandbox(text, {
        image: near(made.image),
        plugin: images.plugin,
        socket: box.dockerHost.replace('unix://', ''),
      }),
      name: /^name: (\S+)$/m.exec(text)?.[1] ?? 'default',
      sha: event.sha ?? (await made.commitOf(event.ref.replace(/^refs\/(tags|heads)\//, ''))),
      url: `${near(made.server)}/${event.slug ?? 'acme/notes'}.git`,
      clone: images.clone,
      ...event,
      secrets: {
        registry_username: registry.account.username,
        registry_password: registry.account.password,
        ledger_token: ledgerToken,
        ...event.secrets,
      },
      environ: {
        PLUGIN_INSECURE_REGISTRIES: [box.registry.host, registry.host, made.server.slice(7)]
          .map(near)
          .join(','),
        ...environ,
      },
    });

  return {
    images,
    registry,
    view,
    near,
    start,
    stop,
    project: async (name, { open = false, slug } = {}) => {
      const image = `${(open ? box.registry : registry).host}/acme/${name}`;
      const base = near(await box.base('busybox'));
      const names = { base, image: near(image) };
      const made = await makeProject(names, '1.0.0', slug === undefined ? {} : { slug });
      const close = await alsoAt(address, [made.server]);
      const end = async (): Promise<void> => {
        await close();
        await made.stop();
      };
      return { ...made, image, end };
    },
    run: async (id, made, event, { environ = {}, text = theExample(id).text } = {}) => {
      const end = await (await start(text, made, event, environ)).end;
      keepLog('drone', shown(end));
      return end;
    },
  };
}

/** The whole run as one text. */
export const shown = ({ steps, error }: PipelineEnd): string =>
  steps.map(({ name, status, code, log }) => `== ${name}: ${status} ${code}\n${log}`).join('\n') + error;

export const tag = (version: string): DroneEvent => ({ event: 'tag', ref: `refs/tags/${version}` });
