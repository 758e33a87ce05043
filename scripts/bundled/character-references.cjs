// mdast asks for the meaning of `&amp;` and 2,000 other names, 36 kB. We read the structure of comments and the text as
// it was written; no decoded name is ever looked at.
module.exports = { decodeNamedCharacterReference: () => false };
