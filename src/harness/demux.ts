export type Channel = 'stdout' | 'stderr';

/**
 * Takes apart an engine's output stream: frames of 8 bytes header (channel, three zeros, length big-endian) and
 * payload, as the Engine API describes under "Attach to a container". Frames may be cut anywhere. With `tty` there
 * are no frames and all is stdout.
 */
export function demultiplexer(
  tty: boolean,
  emit: (channel: Channel, bytes: Buffer) => void,
): (chunk: Buffer) => void {
  if (tty) return (chunk) => emit('stdout', chunk);
  let header = Buffer.alloc(0);
  let left = 0;
  let channel: Channel = 'stdout';
  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (left > 0) {
        const part = rest.subarray(0, left);
        left -= part.length;
        rest = rest.subarray(part.length);
        emit(channel, part);
        continue;
      }
      const missing = 8 - header.length;
      header = Buffer.concat([header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (header.length === 8) {
        channel = header[0] === 2 ? 'stderr' : 'stdout';
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
    }
  };
}
