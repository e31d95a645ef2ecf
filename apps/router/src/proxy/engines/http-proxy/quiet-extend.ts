import util from "node:util";

// http-proxy copies options with util._extend, which warns on every start (DEP0060). It takes the function when it is
// loaded, so this module has to be imported before it.
(util as unknown as { _extend: typeof Object.assign })._extend = Object.assign;
