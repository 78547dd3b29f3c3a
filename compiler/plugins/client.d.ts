/**
 * The types of programs that a bundler imports. In a file of yours, or as `"types": ["mvvmc/client"]` in tsconfig.json:
 *
 *     /// <reference types="mvvmc/client" />
 */

declare module '*.wasm?mvvm' {
  const program: import('mvvmc/runtime').Program;
  export default program;
}
