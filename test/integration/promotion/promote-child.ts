import { justWrite, type WriteHook } from '../../../src/ledger/store.ts';
import { promoteRelease } from '../../../src/promotion/promote.ts';
import { rollBack } from '../../../src/promotion/rollback.ts';
import { backTo, inputFor, openTools, type World } from './world.ts';

/**
 * One promotion or rollback in a process of its own, which kills itself the hard way at its n-th write. argv: the
 * world as JSON, the version, the write to die before (-1: none; as many as there are: after the last), `rollback`
 * to go back to the version.
 */
const [worldJson = '', version = '', at = '-1', what = 'promote'] = process.argv.slice(2);
const names: string[] = [];
const hook: WriteHook = async (name, act) => {
  names.push(name);
  if (names.length - 1 === Number(at)) process.kill(process.pid, 'SIGKILL');
  return justWrite(name, act);
};
const world = JSON.parse(worldJson) as World;
const tools = openTools(world, { write: hook });
const result =
  what === 'rollback'
    ? await rollBack(backTo(world, version), tools)
    : await promoteRelease(inputFor(world, version), tools);
process.stdout.write(JSON.stringify({ answer: result.answer, failing: result.gate.failing, names }));
if (Number(at) >= names.length) process.kill(process.pid, 'SIGKILL');
process.exit(0);
