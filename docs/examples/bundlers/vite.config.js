import mvvmc from 'mvvmc/vite';
import { defineConfig } from 'vite';
import { options } from './options.js';

export default defineConfig({ plugins: [mvvmc(options)] });
