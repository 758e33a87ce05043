import { sandbox, shareSandbox } from '../../sandbox/index.ts';

/** One engine and one registry for all integration test files; `sandbox()` in a test file finds them. */
export async function setup(): Promise<() => Promise<void>> {
  const box = await sandbox();
  shareSandbox(box);
  return () => box.stop();
}
