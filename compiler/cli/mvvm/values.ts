/** What the values of options may be, and what they mean. */

import * as z from 'zod';
import { type AddressGrant, parseAddressGrant } from '../../../runtime/index.js';
import type { GrantedDirectory } from '../../../runtime/node/index.js';
import type { StorageRequest } from './storage-options.js';

const given = z.string('is given more than once').min(1, 'needs a value');
const asList = z
  .union([given, z.array(z.string().min(1, 'needs a value'))])
  .transform((value) => (Array.isArray(value) ? value : [value]));

const flag = z.boolean('is given more than once');

const count = given.regex(/^[1-9]\d{0,14}$/, 'must be a whole number from 1').transform(Number);

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '': 1000 };

/** `10s`, `500ms`, `2m`, `1h`; a number alone means seconds. In milliseconds. */
const duration = given
  .regex(/^\d+(\.\d+)?(ms|s|m|h)?$/, 'must be a time such as 500ms, 10s, 5m or 1h')
  .transform((text) => Number.parseFloat(text) * (unitMs[text.replace(/[\d.]/g, '')] ?? 1000))
  .pipe(
    z
      .number()
      .min(1, 'must be at least 1ms')
      .max(2 ** 31 - 1, 'must be at most 24 days'),
  );

const environment = asList.refine(
  (list) => list.every((entry) => /^[^=\0]+=[^\0]*$/.test(entry)),
  'must have the form KEY=value',
);

/** `host`, which the guest sees by the same name, or `guest::host`. */
const directories = asList.transform((list): GrantedDirectory[] =>
  list.map((text) => {
    const [guest = '', ...host] = text.split('::');
    return host.length === 0 ? { guest, host: guest } : { guest, host: host.join('::') };
  }),
);

const addresses = asList.transform((list, context): AddressGrant[] =>
  list.flatMap((text) => {
    const grant = parseAddressGrant(text);
    if (grant !== undefined) return [grant];
    context.addIssue(
      `is no address: ${text}; write 127.0.0.1, 127.0.0.1:80, 10.0.0.0/8:80, [::1]:80 or example.com:80`,
    );
    return [];
  }),
);

const stackSize = given
  .regex(/^\d{1,4}$/, 'must be a number of MiB')
  .transform(Number)
  .pipe(z.number().min(1, 'must be at least 1').max(4096, 'must be at most 4096'));

/** A seed of 32 bits; the option alone is seed 0. */
const seed = z
  .string('is given more than once')
  .regex(/^\d{0,10}$/, 'must be a number below 2^32')
  .transform(Number)
  .pipe(z.number().max(2 ** 32 - 1, 'must be a number below 2^32'));

/** Every option of every command, as the commands use it; those not given are undefined. */
export interface OptionValues extends StorageRequest {
  readonly target?: string | undefined;
  readonly arguments?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  readonly dir?: readonly GrantedDirectory[] | undefined;
  readonly addr?: readonly AddressGrant[] | undefined;
  readonly sockets?: 'reconnect' | 'fail' | undefined;
  readonly function?: string | undefined;
  readonly times?: number | undefined;
  readonly count?: number | undefined;
  /** Milliseconds. */
  readonly 'checkpoint-every'?: number | undefined;
  readonly snapshot?: string | undefined;
  readonly 'next-snapshot'?: string | undefined;
  readonly resume?: string | undefined;
  readonly entry?: string | undefined;
  readonly plain: boolean;
  readonly deterministic?: number | undefined;
  readonly 'accept-changed-files': boolean;
  /** MiB. */
  readonly 'stack-size'?: number | undefined;
  readonly stats: boolean;
  readonly profile?: string | undefined;
  readonly debug: boolean;
  readonly 'offload-addr'?: string | undefined;
  readonly 'offload-port'?: string | undefined;
  readonly json: boolean;
  readonly secrets: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** How snapshots are stored, as all commands take it. */
const storageValues = {
  compression: z.enum(['none', 'gzip', 'zstd'], 'must be none, gzip or zstd').optional(),
  'sign-key': given.optional(),
  'verify-key': asList.optional(),
  'encryption-key': given.optional(),
};

/** Every option of `mvvm snapshot`. */
export interface SnapshotValues extends StorageRequest {
  readonly output?: string | undefined;
  readonly target?: string | undefined;
  readonly json: boolean;
  readonly debug: boolean;
  readonly help: boolean;
}

export const snapshotValues: z.ZodType<SnapshotValues> = z.strictObject({
  ...storageValues,
  output: given.optional(),
  target: given.optional(),
  json: flag.default(false),
  debug: flag.default(false),
  help: flag.default(false),
});

/** Checks the texts that splitting the words gives. */
export const optionValues: z.ZodType<OptionValues> = z.strictObject({
  ...storageValues,
  target: given.optional(),
  arguments: asList.optional(),
  env: environment.optional(),
  dir: directories.optional(),
  addr: addresses.optional(),
  sockets: z.enum(['reconnect', 'fail'], 'must be reconnect or fail').optional(),
  function: given.optional(),
  times: count.optional(),
  count: count.optional(),
  'checkpoint-every': duration.optional(),
  snapshot: given.optional(),
  'next-snapshot': given.optional(),
  resume: given.optional(),
  entry: given.optional(),
  plain: flag.default(false),
  deterministic: seed.optional(),
  'accept-changed-files': flag.default(false),
  'stack-size': stackSize.optional(),
  stats: flag.default(false),
  profile: given.optional(),
  debug: flag.default(false),
  'offload-addr': given.optional(),
  'offload-port': given.optional(),
  json: flag.default(false),
  secrets: flag.default(false),
  help: flag.default(false),
  version: flag.default(false),
});
