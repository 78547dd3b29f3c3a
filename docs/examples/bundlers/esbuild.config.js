import mvvmc from 'mvvmc/esbuild';
import { options } from './options.js';

export default {
  entryPoints: ['main.js'],
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  plugins: [mvvmc(options)],
};
