import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalIp, destinationOf, formatIp, parseIp, showAddress, socketAddressSchema } from './addresses.js';

describe('addresses as texts', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:7f00:1', '::ffff:127.0.0.1'],
    ['::ffff:10.1.2.3', '::ffff:10.1.2.3'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.-4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '1::2::3',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    ' ::1',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('every address is read as it is written', () => {
    const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
    const addresses = fc.oneof(
      fc.array(byte, { minLength: 4, maxLength: 4 }),
      fc.array(byte, { minLength: 16, maxLength: 16 }),
    );
    fc.assert(fc.property(addresses, (bytes) => expect(parseIp(formatIp(bytes))).toEqual(bytes)));
  });

  test('a snapshot may hold the canonical form only', () => {
    expect(socketAddressSchema.safeParse({ ip: '::1', port: 1 }).success).toBe(true);
    expect(socketAddressSchema.safeParse({ ip: '0:0::1', port: 1 }).success).toBe(false);
    expect(socketAddressSchema.safeParse({ ip: '127.0.0.1', port: 65_536 }).success).toBe(false);
  });

  test('with a port', () => {
    expect(showAddress({ ip: '::1', port: 80 })).toBe('[::1]:80');
    expect(showAddress({ ip: '10.0.0.1', port: 80 })).toBe('10.0.0.1:80');
  });
});

test('to connect to no machine means to connect to this one', () => {
  expect(destinationOf({ ip: '0.0.0.0', port: 5 })).toEqual({ ip: '127.0.0.1', port: 5 });
  expect(destinationOf({ ip: '::', port: 5 })).toEqual({ ip: '::1', port: 5 });
  expect(destinationOf({ ip: '10.0.0.1', port: 5 })).toEqual({ ip: '10.0.0.1', port: 5 });
});
