// What all bundlers here are told. A recursion has stable points at function level.
export const options = { policies: ['function-checkpoint'] };
