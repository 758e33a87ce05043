import { failure, note, skip } from './reason.ts';

/** Codes of the entry itself: settings, hosts, the workspace, the dossier, and what any room may meet. */
export const running = {
  'step-missing': failure(
    'No step was named.',
    'Set `step` to a step, a list of steps, or one of the lines `release` and `change`.',
  ),
  'step-unknown': failure('There is no step of that name.', 'Use a step that `--help` lists.'),
  'step-unavailable': failure(
    'This version of knowngood does not do that yet.',
    'Leave the setting out, or use a version whose changelog names it.',
  ),
  'setting-unknown': note('A setting is not known and was ignored.', 'Correct its name, or remove it.'),
  'setting-invalid': failure(
    'A setting has a value of the wrong type or form.',
    'Correct the value; the documentation of the setting shows its form.',
  ),
  'setting-missing': failure('A setting that this step needs is missing.', 'Add the setting.'),
  'config-invalid': failure(
    'A configuration file is not valid.',
    'Correct the place that the message names; the JSON Schemas in `schema/` describe both files.',
  ),
  'path-outside': failure(
    'A path leaves the folder that it belongs to, passes through a link, or is not a regular file of acceptable size.',
    'Use a relative path of a regular file, without `..` and without links on the way.',
  ),
  'workspace-seeded': failure(
    '`knowngood-out` was not made by this run: it is a link, a file, or has files that git tracks.',
    'Remove `knowngood-out` from the repository and add it to .gitignore.',
  ),
  'dossier-incomplete': failure(
    'The dossier lacks the section of an earlier step.',
    'Run the step that the message names first, in the same workspace.',
  ),
  'dossier-invalid': failure(
    'The dossier cannot be read.',
    'Delete `knowngood-out` and run the steps again from the first.',
  ),
  'candidate-changed': failure(
    'The checkout is no longer the one that the earlier steps looked at.',
    'Run all steps over one checkout; nothing may change files in between.',
  ),
  'candidate-unknown': failure(
    'The candidate commit could not be determined.',
    'Run inside a git checkout, or set `candidate` to a full commit.',
  ),
  'remote-invalid': failure(
    'The address of a repository is not valid.',
    'Use an https or ssh address without credentials, or a path.',
  ),
  'git-missing': failure('The program git is not there, or too old.', 'Install git 2.31 or newer.'),
  'git-denied': failure(
    'The repository is not there, or not for us.',
    'Check its address and the credentials: forges answer the same to both.',
  ),
  'git-unreachable': failure(
    'The repository did not answer.',
    'Check the host name and the network, then try again.',
  ),
  'git-failed': failure('git ended with an error.', 'See the message of git.'),
  'dry-run': skip('Nothing was run: only the plan was asked for.', 'Leave out `dry-run` to run it.'),
  cancelled: failure('The run was cancelled.', 'Start it again when you want its answer.'),
  'cannot-determine': failure(
    'A look-up was not answered, so the question stays open.',
    'Try again; the message names the service that did not answer.',
  ),
  'answer-invalid': failure(
    'A server gave an answer that we do not accept.',
    'Check the address, and the proxy before it if there is one.',
  ),
  'plain-http': failure(
    'Plain HTTP is refused for this host.',
    'Use https, or name the host with its port in `insecure-registries`.',
  ),
  'forge-denied': failure(
    'The forge refused the token or its permission.',
    'Check `forge-token`; the documentation of the step lists the permissions that it needs.',
  ),
  'forge-unreachable': failure(
    'The forge did not answer.',
    'Check `forge-url` and the network, then try again.',
  ),
  'forge-limited': failure(
    'The forge limits how often it may be asked, and wants a longer wait than a run may last.',
    'Try again later; where it happens often, give the runs a token of their own.',
  ),
  'forge-failed': failure('The forge answered with an error.', 'See its status and message.'),
  'internal-error': failure(
    'knowngood met a case that it does not handle.',
    'Please report it with the log; run with `verbose: true` for the stack.',
  ),
} as const;
