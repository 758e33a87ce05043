// Stands in for @octokit/plugin-rest-endpoint-methods, a table of GitHub's thousand endpoints as methods. The forge
// asks by route, which has the same types, so the plugin adds nothing to the client.
exports.legacyRestEndpointMethods = () => ({});
exports.restEndpointMethods = () => ({});
