import { readFileSync } from 'node:fs';
import { runTest } from '../../../src/harness/harness.ts';
import { Failure } from '../../../src/outcome.ts';
import { clientOf, inputFor, type RunRequest } from './request.ts';

/**
 * One run of the harness in a process of its own, which ends on SIGINT and SIGTERM as the entry does. argv: the file
 * with the request. Prints a line for each phase, then the result or the code of the failure.
 */
const request = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RunRequest;
const cancel = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => cancel.abort(new Failure('cancelled', `The run was cancelled (${signal}).`)));
}
const tell = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
try {
  const result = await runTest(
    inputFor(request, {
      docker: clientOf(request.engine.address),
      signal: cancel.signal,
      onPhase: (phase) => tell({ phase }),
      say: (text) => tell({ text }),
    }),
  );
  tell({ result });
} catch (cause) {
  tell({ failed: cause instanceof Failure ? cause.code : String(cause) });
  process.exitCode = 2;
}
process.stdout.write('', () => process.exit());
