/** Names in the documents that belong to the world outside, and what stands for each in the sandbox. */
export interface OutsideWorld {
  /** For `registry.example.org/acme/<any>` and `ghcr.io/acme/<any>`: repository in the sandbox's registry. */
  readonly image: string;
  /** For `ghcr.io/knowngood/knowngood`, the plugin. */
  readonly plugin?: string;
  /** For `/var/run/docker.sock` on the host. */
  readonly socket?: string;
}

/** An example with the outside world's names exchanged; nothing else of it is touched. */
export function inSandbox(text: string, world: OutsideWorld): string {
  let adapted = text.replaceAll(/(?:registry\.example\.org|ghcr\.io)\/acme\/[a-z]+/g, world.image);
  if (world.plugin !== undefined) {
    adapted = adapted
      .replaceAll('ghcr.io/knowngood/knowngood', world.plugin)
      // It has a shell, which is all that our examples want of it.
      .replaceAll('image: alpine\n', `image: ${world.plugin}\n`);
  }
  if (world.socket !== undefined) {
    // The place inside the container stays: only the host's side is another.
    adapted = adapted
      .replaceAll(/(host:\s*(?:\{ )?path: )\/var\/run\/docker\.sock/g, `$1${world.socket}`)
      .replaceAll('- /var/run/docker.sock:', `- ${world.socket}:`);
  }
  return adapted;
}
