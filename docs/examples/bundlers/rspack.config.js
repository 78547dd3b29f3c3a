import { resolve } from 'node:path';
import mvvmc from 'mvvmc/rspack';
import { options } from './options.js';

export default {
  mode: 'production',
  entry: './main.js',
  output: { path: resolve('dist'), filename: 'main.js' },
  plugins: [mvvmc(options)],
};
