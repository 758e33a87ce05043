import { failure, good, note, refusal } from './reason.ts';

/** Codes of `test` and the harness. */
export const testing = {
  green: good('Every required tier passed.'),
  'not-ready': refusal('The service was not ready in time.', 'See the last lines of its log.'),
  crashed: refusal('A container exited or restarted.', 'See the last lines of its log.'),
  'check-failed': refusal('A check failed.', 'See the output of the check.'),
  'upgrade-no-effect': refusal(
    'The upgrade changed nothing: the service does not run the candidate.',
    'Check the image references of the recipe.',
  ),
  'same-version-upgrade': refusal('Base and candidate are the same.', 'Choose an older base.'),
  'nothing-to-check': failure(
    'There is nothing to judge the service by.',
    'Add `ready` or `check` to knowngood.yml, or a HEALTHCHECK to the image.',
  ),
  'base-broken': failure(
    'The base does not start, so the upgrade could not be tested.',
    'Declare that release under `known-broken`.',
  ),
  'base-failed': failure(
    'The base started, but what was run on it failed.',
    'See the log; the candidate is not blamed for it.',
  ),
  deadline: failure('The run was out of time.', 'Raise `timeout`, or make the recipe faster.'),
  'anonymous-volume': note(
    'The image declares a volume that no mount covers; its data would be lost in an upgrade.',
    'Mount a named volume there.',
  ),
  'credentials-in-test': failure(
    'Recipe commands on the host would see a credential of this job.',
    'Move the test to a job without secrets, or name `credentials` in `test.allow`.',
  ),
  'unsafe-compose': refusal(
    'The compose file asks for more than a test may have.',
    'Remove the key, or name it in `test.allow`.',
  ),
  'workspace-not-mountable': failure(
    'A bind mount of the recipe cannot reach the containers from here.',
    'Mount the workspace from the host, or use a named volume.',
  ),
  'subject-unreachable': failure(
    'The subject runs where this step cannot reach it.',
    'Give this step a network, or publish the port.',
  ),
  'image-missing': failure(
    'An image of the test is in no registry that was asked, nor in the engine.',
    'Push it, give credentials in `registries`, or correct its name.',
  ),
  'disk-full': failure('A disk is full.', 'Free space on the machine of the engine and on this one.'),
  'commands-failed': refusal("The recipe's own `up` failed.", 'See its output.'),
  'host-commands-refused': refusal(
    'Commands on the host are not run for untrusted authors.',
    'Use `exec` or `run`, which are contained.',
  ),
  'compose-missing': failure(
    'The docker command or its compose plugin is not there.',
    "Install docker's command line with the compose plugin, version 2.24 or newer.",
  ),
  'compose-invalid': failure('The compose files cannot be read.', 'Correct the place that compose names.'),
  'swarm-missing': failure(
    'The engine is not a manager of a swarm.',
    'Run `docker swarm init` on the engine that tests, a swarm of that one node.',
  ),
  'tier-not-run': note('The tier was not run, because an earlier one had failed.'),
  'left-behind': note(
    'Something that the test made could not be removed.',
    'Remove it by the name in the message.',
  ),
  'harness-changed': refusal(
    'The pull request changes how it would be tested.',
    'Merge that part first, by review.',
  ),
} as const;
