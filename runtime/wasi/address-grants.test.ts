import { describe, expect, test } from '@jest/globals';
import { GrantedAddresses, parseAddressGrant } from './address-grants.js';

function granted(...texts: string[]): GrantedAddresses {
  const grants = texts.map((text) => {
    const grant = parseAddressGrant(text);
    if (grant === undefined) throw new Error(`${text} is no grant`);
    return grant;
  });
  return new GrantedAddresses(grants, (name) => (name === 'example.com' ? ['93.184.216.34', '2606:2800::1'] : []));
}

describe('a grant', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1', 80, true],
    ['127.0.0.1', '127.0.0.2', 80, false],
    ['127.0.0.1:80', '127.0.0.1', 80, true],
    ['127.0.0.1:80', '127.0.0.1', 81, false],
    ['127.0.0.1:80', '127.0.0.1', 0, false],
    ['10.0.0.0/8', '10.255.0.1', 1, true],
    ['10.0.0.0/8', '11.0.0.1', 1, false],
    ['10.1.2.0/23:443', '10.1.3.9', 443, true],
    ['10.1.2.0/23:443', '10.1.4.9', 443, false],
    ['10.1.2.0/23:443', '10.1.3.9', 80, false],
    ['0.0.0.0/0', '1.2.3.4', 5, true],
    ['0.0.0.0/0', '::1', 5, false],
    ['0.0.0.0', '1.2.3.4', 5, false],
    ['::1', '::1', 9, true],
    ['[::1]:9', '::1', 9, true],
    ['[::1]:9', '::1', 10, false],
    ['[fe80::/10]:9', 'febf::1', 9, true],
    ['fe80::/10', 'fec0::1', 9, false],
    ['example.com:443', '93.184.216.34', 443, true],
    ['Example.COM', '2606:2800::1', 1, true],
    ['example.com:443', '93.184.216.35', 443, false],
    ['other.example', '93.184.216.34', 443, false],
  ])('of %s allows %s port %d: %s', (grant, ip, port, expected) => {
    expect(granted(grant).allow({ ip, port })).toBe(expected);
  });

  test('judges an IPv4 address that is wrapped in an IPv6 one as what it is', () => {
    expect(granted('::/0').allow({ ip: '::ffff:127.0.0.1', port: 80 })).toBe(false);
    expect(granted('127.0.0.1').allow({ ip: '::ffff:127.0.0.1', port: 80 })).toBe(true);
    expect(granted('::ffff:127.0.0.0/104').allow({ ip: '127.9.9.9', port: 80 })).toBe(true);
  });

  test('of a name lets that name be looked up, and no other', () => {
    expect(granted('example.com:443').addressesOf('EXAMPLE.com')).toEqual(['93.184.216.34', '2606:2800::1']);
    expect(granted('example.com').addressesOf('other.example')).toBeUndefined();
    expect(granted('127.0.0.1').addressesOf('127.0.0.1')).toBeUndefined();
  });

  test('nothing is allowed without one', () => {
    expect(granted().allow({ ip: '127.0.0.1', port: 80 })).toBe(false);
  });
});

test.each([
  '',
  ':80',
  '127.0.0.1:',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '127.0.0.1:80x',
  '127.0.0.1:080',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/08',
  '10.0.0/8',
  '1.2.3.4/8/9',
  '::1/129',
  '[::1',
  '[::1]80',
  'exa mple.com',
  '-x.com',
  'name/8',
  '1.2.3',
])('%j is no grant', (text) => {
  expect(parseAddressGrant(text)).toBeUndefined();
});
