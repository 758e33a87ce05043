// The parts of undici that we and @actions/http-client use. Its index brings fetch, WebSocket, caches and mocks along,
// 300 kB that nothing calls; Node has its own fetch.
const Dispatcher = require('../../node_modules/undici/lib/dispatcher/dispatcher.js');

// As the index does: `request` is a method of every dispatcher.
Dispatcher.prototype.request = require('../../node_modules/undici/lib/api/api-request.js');

module.exports = {
  Agent: require('../../node_modules/undici/lib/dispatcher/agent.js'),
  ProxyAgent: require('../../node_modules/undici/lib/dispatcher/proxy-agent.js'),
};
