import { skip } from './reason.ts';

/** Codes of `testme` and `report`. */
export const comment = {
  'not-testme': skip('This event is no command for us.'),
} as const;
