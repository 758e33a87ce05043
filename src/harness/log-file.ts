import { type FileHandle, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** Text that arrives in chunks with secrets taken out, also where one lies over a chunk's border. */
export interface Redactor {
  push(chunk: string): string;
  end(): string;
}

export interface LogFile {
  /** False once the file is full: nothing more has to be read. */
  write(bytes: Buffer): Promise<boolean>;
  end(note?: string): Promise<void>;
  readonly bytes: number;
  readonly truncated: boolean;
  /** Why lines are missing, if some are. */
  readonly broken: string | undefined;
}

/**
 * One channel of one container in a file that is made with the first byte, masked on the way and cut at `cap` bytes
 * with a line that says so. A disk that is full ends the file, never the run: the verdict does not hang on a log.
 */
export function logFile(path: string, cap: number, redactor: Redactor): LogFile {
  const decoder = new StringDecoder('utf8');
  let file: FileHandle | undefined;
  let bytes = 0;
  let truncated = false;
  let broken: string | undefined;
  let ended = false;

  const append = async (text: string): Promise<void> => {
    if (text === '' || broken !== undefined) return;
    try {
      file ??= await open(path, 'wx', 0o644);
      await file.write(text);
    } catch (cause) {
      broken = (cause as Error).message;
    }
  };
  const take = async (text: string): Promise<void> => {
    if (truncated || text === '') return;
    const encoded = Buffer.from(text);
    const room = cap - bytes;
    if (encoded.length <= room) {
      bytes += encoded.length;
      await append(text);
      return;
    }
    truncated = true;
    bytes = cap;
    // A cut inside a character would leave half of it; the decoder drops that half.
    await append(
      `${new StringDecoder('utf8').write(encoded.subarray(0, room))}\n[truncated after ${cap} bytes]\n`,
    );
  };
  return {
    async write(chunk) {
      await take(redactor.push(decoder.write(chunk)));
      return !truncated && broken === undefined;
    },
    async end(note) {
      if (ended) return;
      ended = true;
      await take(redactor.push(decoder.end()) + redactor.end());
      if (note !== undefined && file !== undefined) await append(`${note}\n`);
      await file?.close().catch(() => undefined);
    },
    get bytes() {
      return bytes;
    },
    get truncated() {
      return truncated;
    },
    get broken() {
      return broken;
    },
  };
}
