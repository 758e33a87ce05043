// Stands for packages that dockerode requires and that we never reach. Touching one of their members fails loudly.
module.exports = new Proxy(
  {},
  {
    get(_, name) {
      if (typeof name === 'symbol' || name === '__esModule' || name === 'default') return undefined;
      throw new Error(`unused module: ${name}`);
    },
  },
);
