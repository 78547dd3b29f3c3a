import mvvmc from 'mvvmc/rollup';
import { options } from './options.js';

// Node resolves mvvmc/runtime when the bundle runs; @rollup/plugin-node-resolve would put it inside.
export default {
  input: 'main.js',
  output: { dir: 'dist', format: 'es' },
  external: ['mvvmc/runtime'],
  plugins: [mvvmc(options)],
};
