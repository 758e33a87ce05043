/** The one input of action.yml that is no setting: nobody fills it in, and the runner puts the job's token there. */
export const JOB_TOKEN = 'job-token';
