// Stands for dockerode's lib/session.js, which answers BuildKit's request for a credential with one and the same for
// any host. Builds here are asked for without a session; whoever asks for one fails loudly.
module.exports = function noSession() {
  throw new Error('unused module: a session of BuildKit');
};
