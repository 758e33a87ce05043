// Stands for packages that are required and that we never reach. Their members may be taken, as docker-modem does
// with ssh2's while it is loaded; using one fails loudly.
module.exports = new Proxy(
  {},
  {
    get(_, name) {
      if (typeof name === 'symbol' || name === '__esModule' || name === 'default') return undefined;
      return function unused() {
        throw new Error(`unused module: ${name}`);
      };
    },
  },
);
