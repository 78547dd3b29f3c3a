import mvvmc from 'mvvmc/vite';
import { defineConfig } from 'vite';

const plugins = () => [mvvmc({ thresholdBits: 12 })];

export default defineConfig({ base: './', plugins: plugins(), worker: { format: 'es', plugins } });
